"""Where unfinished training can go on.

`epoch-000003.json` is the commit marker of `epoch-000003.safetensors`: it is written after it, with its SHA-256.
Tensors are safetensors and the rest is JSON; no pickle.
"""

import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import load, save
from torch import Tensor

from runhive.errors import RunhiveError
from runhive.files import sha256_of, write_atomic
from runhive.formats.document import Document
from runhive.formats.history import Epoch
from runhive.vision.loop import State

KEPT = 2


class Marker(Document):
    """What is not a tensor in a checkpoint."""

    version: ClassVar[int] = 1

    epoch: int
    best_epoch: int
    history: list[dict[str, Any]]
    sha256: str


def save_checkpoint(folder: Path, state: State) -> None:
    """Write *state* durably, then drop all checkpoints but the newest two."""
    data = folder / f"epoch-{state.epoch:06d}.safetensors"
    write_atomic(data, save(dict(_flatten(state))))
    history = [asdict(epoch) for epoch in state.history]
    marker = Marker(epoch=state.epoch, best_epoch=state.best_epoch, history=history, sha256=sha256_of(data))
    marker.write(data.with_suffix(".json"))
    for old in sorted(folder.glob("epoch-*.json"))[:-KEPT]:
        old.unlink()
        old.with_suffix(".safetensors").unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> State:
    """Return the newest state that is whole, or the state before the first epoch where there is none.

    Raises RunhiveError when there are some and each is damaged: training never starts anew in silence.
    """
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink()
    markers = sorted(folder.glob("epoch-*.json"), reverse=True)
    for path in markers:
        if (marker := _read_whole(path)) is not None:
            return _unflatten(load(path.with_suffix(".safetensors").read_bytes()), marker)
        warnings.warn(f"the checkpoint {path} is damaged: going back to the one before", stacklevel=2)
    if markers:
        raise RunhiveError(f"every checkpoint in {folder} is damaged: delete that folder to train from the start")
    return State()


def _read_whole(path: Path) -> Marker | None:
    data = path.with_suffix(".safetensors")
    try:
        marker = Marker.read(path)
    except RunhiveError:
        return None
    return marker if data.exists() and sha256_of(data) == marker.sha256 else None


def _flatten(state: State) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.network.items():
        yield f"network/{name}", tensor.contiguous()
    if state.best_epoch != state.epoch:
        for name, tensor in state.best.items():
            yield f"best/{name}", tensor.contiguous()
    for index, slots in state.optimizer.items():
        for name, tensor in slots.items():
            yield f"optimizer/{index}/{name}", tensor.contiguous()


def _unflatten(tensors: dict[str, Tensor], marker: Marker) -> State:
    history = [Epoch(**row) for row in marker.history]
    state = State(epoch=marker.epoch, history=history, best_epoch=marker.best_epoch)
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        if part == "optimizer":
            index, _, slot = rest.partition("/")
            state.optimizer.setdefault(int(index), {})[slot] = tensor
        else:
            getattr(state, part)[rest] = tensor
    if state.best_epoch == state.epoch:
        state.best = state.network
    return state
