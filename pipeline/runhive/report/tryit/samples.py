"""A few images of the evaluation set at the model's own size, with Python's answer for each."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from runhive.decode import Undecodable, open_image, to_rgb
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.preprocess import Pixels, to_input
from runhive.report.answers import Answer, Answers, doubtful_hits, mistakes
from runhive.report.gallery import JPEG, SHA256
from runhive.report.text import visible
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.storage.outputs import checked_path

if TYPE_CHECKING:
    from runhive.scoring.model import Model

IMAGES = Path("data/images")
MOST_MISTAKES = 3
MOST_SAMPLES = 6
MOST_TRIED = 60  # answers that are looked at for a picture


@dataclass(frozen=True)
class Sample:
    """`pixels` is the model's input (3, size, size); `is_whole` is not set for one made from a thumbnail."""

    answer: Answer
    pixels: Pixels
    is_whole: bool


def samples(answers: Answers, model: "Model", ledger: Ledger, root: Path) -> list[Sample]:
    """The most confident mistakes, then right answers of as many classes, as far as there are pictures of them."""
    wrong = list(islice(_pictured(mistakes(answers), model, ledger, root), MOST_MISTAKES))
    right = islice(_pictured(_one_a_class(answers), model, ledger, root), MOST_SAMPLES - len(wrong))
    return [*wrong, *right]


def _one_a_class(answers: Answers) -> list[Answer]:
    """The surest right answer of each class, and then the next ones."""
    surest = doubtful_hits(answers)[::-1]
    seen: dict[str, int] = {}
    turns = []
    for answer in surest:
        turns.append(seen.get(answer.actual, 0))
        seen[answer.actual] = turns[-1] + 1
    order = sorted(range(len(surest)), key=lambda index: (turns[index], index))
    return [surest[index] for index in order]


def _pictured(answers: list[Answer], model: "Model", ledger: Ledger, root: Path) -> Iterator[Sample]:
    for answer in answers[:MOST_TRIED]:
        whole = _from_data(answer, root)
        image = whole or _from_ledger(answer, ledger)
        if image is not None:
            yield Sample(answer, to_input(image, model.metadata.preprocess), whole is not None)


def _from_data(answer: Answer, root: Path) -> PIL.Image.Image | None:
    """The image itself, if it lies in the working tree with the same content."""
    try:
        path = root / IMAGES / checked_path(answer.path)
        if not path.is_file() or sha256_of(path) != answer.sha256:
            return None
        return _decoded(path.read_bytes())
    except (RunhiveError, OSError):  # no path that stays in the folder, or none that can be read
        return None


def _from_ledger(answer: Answer, ledger: Ledger) -> PIL.Image.Image | None:
    content = ledger.media(answer.sha256) if SHA256.fullmatch(answer.sha256) else None
    return _decoded(content) if content and content.startswith(JPEG) else None


def _decoded(content: bytes) -> PIL.Image.Image | None:
    try:
        return to_rgb(open_image(io.BytesIO(content)))
    except Undecodable:
        return None


def baked(found: list[Sample], answers: Answers, model: "Model") -> list[dict[str, Any]]:
    """What the page gets of each: PNG without a profile, names, and Python's logits for it.

    `recorded` is how far they are from those that the run kept; None where the image was only a thumbnail.
    Raises RunhiveError where a logit is no finite number.
    """
    logits = model.answers(np.stack([sample.pixels for sample in found]))[0]
    if not np.isfinite(logits).all():
        raise RunhiveError("its answers are no finite numbers")
    kept = dict(zip(answers.predictions.paths, answers.predictions.logits, strict=True))
    return [
        {
            "png": _png(sample.pixels),
            "path": visible(sample.answer.path, 300),
            "actual": visible(sample.answer.actual, 60),
            "logits": [float(f"{value:.9g}") for value in row],
            "recorded": float(np.abs(row - kept[sample.answer.path]).max()) if sample.is_whole else None,
        }
        for sample, row in zip(found, logits, strict=True)
    ]


def _png(pixels: Pixels) -> str:
    image = PIL.Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
