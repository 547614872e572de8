"""How far exported models are from torch over images, in logits and in answers, and how long one image takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from runhive.formats.manifest import Image
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Flip
from runhive.preprocess import Load, Pixels, input_batches
from runhive.stages import paths

Floats = NDArray[np.float32]
Engine = Callable[[Pixels], Floats]  # inputs (n, 3, size, size) to logits (n, classes)
BATCH = 32
SECONDS = 0.2  # of timing
FEWEST = 3  # runs that are timed


@dataclass(frozen=True)
class Agreement:
    """The largest difference of logits, `relative` over the spread of torch's; None where one is not finite.

    `same` is the share of equal answers, `flips` are the others.
    """

    relative: float | None
    absolute: float | None
    same: float
    flips: list[Flip]


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one image, alone and in a batch of 32."""

    alone: float
    in_32: float


@dataclass(frozen=True)
class Measured:
    """Torch's spread of logits and milliseconds of one image, and each exported model against it, by name."""

    spread: float
    torch_milliseconds: float
    agreement: dict[str, Agreement]
    speed: dict[str, Speed]


def measure(
    torch_engine: Engine, engines: Mapping[str, Engine], images: Sequence[Image], card: ModelCard, load: Load
) -> Measured:
    """Run every engine on *images*, each of which is prepared once; batches of 32 of them are timed on the way."""
    files = [paths.IMAGES / image.path for image in images]
    expected: list[Floats] = []
    found: dict[str, list[Floats]] = {name: [] for name in engines}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for batch in input_batches(files, card.preprocess, BATCH, load):
        expected.append(torch_engine(batch))
        for name, engine in engines.items():
            began = perf_counter()
            found[name].append(engine(batch))
            seconds[name] += [perf_counter() - began] if len(batch) == BATCH else []
    logits, names = np.concatenate(expected), [image.path for image in images]
    one = next(input_batches(files[:1], card.preprocess, 1, load))
    speed = {}
    for name, engine in engines.items():
        in_32 = seconds[name][1:] or timed(engine, np.repeat(one, BATCH, axis=0))  # the first warms up
        speed[name] = Speed(milliseconds(timed(engine, one), 1), milliseconds(in_32, BATCH))
    return Measured(
        spread_of(logits),
        milliseconds(timed(torch_engine, one), 1),
        {name: agreement(logits, np.concatenate(rows), names, card.classes) for name, rows in found.items()},
        speed,
    )


def spread_of(logits: Floats) -> float:
    """Standard deviation of *logits* about each class's mean over the images."""
    return float(np.sqrt(logits.var(axis=0).mean()))


def agreement(expected: Floats, found: Floats, names: Sequence[str], classes: Sequence[str]) -> Agreement:
    """Compare *found* with torch's logits, both (images, classes)."""
    ours, theirs = expected.argmax(axis=1), found.argmax(axis=1)
    flips = [
        Flip(path=names[row], torch=classes[ours[row]], onnx=classes[theirs[row]])
        for row in (ours != theirs).nonzero()[0]
    ]
    same = 1 - len(flips) / len(names)
    if not np.isfinite(found).all():
        return Agreement(None, None, same, flips)
    absolute, spread = float(np.abs(found - expected).max()), spread_of(expected)
    return Agreement(absolute / spread if spread else absolute, absolute, same, flips)


def timed(engine: Engine, batch: Pixels) -> list[float]:
    """Seconds of some runs of *batch*, after one to warm up."""
    engine(batch)
    seconds: list[float] = []
    while len(seconds) < FEWEST or sum(seconds) < SECONDS:
        began = perf_counter()
        engine(batch)
        seconds.append(perf_counter() - began)
    return seconds


def milliseconds(seconds: Sequence[float], images: int) -> float:
    """Median milliseconds of one of *images* in a batch."""
    return 1000 * median(seconds) / images
