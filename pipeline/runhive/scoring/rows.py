"""Images to rows of predictions, in their order: decoding goes on in other threads while the model answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from runhive.data.decoding import PixelBudget, quiet_pillow
from runhive.decode import Undecodable, open_image, to_rgb
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.preprocess import Pixels, ahead, to_input
from runhive.scoring.images import Item
from runhive.scoring.model import Model

AHEAD = 4  # batches that are decoded before their turn
Cell = str | float | None
Row = Mapping[str, Cell]


@dataclass(frozen=True)
class _Prepared:
    name: str
    pixels: Pixels | None
    fault: str


def columns_of(model: Model, top: int) -> dict[str, type]:
    """The names of a row's cells in their order, and what they are."""
    best: dict[str, type] = {}
    for rank in range(1, min(top, len(model.classes)) + 1):
        end = "" if rank == 1 else f"_{rank}"
        best |= {f"label{end}": str, f"confidence{end}": float}
    return {"path": str, **best, "error": str, "model": str, "version": str, "model_sha256": str}


def predict_rows(model: Model, items: Iterable[Item], batch_size: int, top: int) -> Iterator[Row]:
    """Yield a row for each of *items*; one that is no image has an error in place of labels."""
    budget = PixelBudget()
    empty = dict.fromkeys(columns_of(model, top)) | {
        "model": model.name, "version": model.version, "model_sha256": model.sha256,
    }  # fmt: skip
    with quiet_pillow():
        prepared = ahead(lambda item: _prepare(item, model, budget), items, AHEAD * batch_size)
        while group := list(islice(prepared, batch_size)):
            inputs = [one.pixels for one in group if one.pixels is not None]
            answered = iter(model.answers(np.stack(inputs))[1]) if inputs else iter(())
            for one in group:
                found = _best(model.classes, next(answered), top) if one.pixels is not None else {"error": one.fault}
                yield empty | {"path": one.name} | found


def _prepare(item: Item, model: Model, budget: PixelBudget) -> _Prepared:
    """Decode and resize one image, without holding more pixels at a time than the budget allows."""
    if item.fault:
        return _Prepared(item.name, None, item.fault)
    try:
        with item.open() as file:
            header = open_image(file)
            with budget.taken(header.width * header.height):
                return _Prepared(item.name, to_input(to_rgb(header), model.metadata.preprocess), "")
    except Undecodable as error:
        return _Prepared(item.name, None, str(error))
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        return _Prepared(item.name, None, f"cannot be read ({error.strerror})")
    except OSError as error:
        raise RunhiveError(f"{one_line(item.name)} cannot be read ({error.strerror}): mend the disk") from error


def _best(classes: list[str], probabilities: NDArray[np.float32], top: int) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for rank, index in enumerate(np.argsort(-probabilities, kind="stable")[:top], start=1):
        end = "" if rank == 1 else f"_{rank}"
        found |= {f"label{end}": classes[index], f"confidence{end}": float(probabilities[index])}
    return found
