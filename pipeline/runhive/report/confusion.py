"""The confusion matrix as shaded cells, and the pairs of classes that were mixed up most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from runhive.formats.evaluation import ClassScore, Evaluation

MOST_CLASSES = 20
MOST_PAIRS = 10
SHADES = 9


@dataclass(frozen=True)
class Cell:
    """`shade` is 1 to 9: the share of the actual class that was answered so. `key` is its place in the whole matrix."""

    count: int
    shade: int
    is_hit: bool
    share: float
    key: str


@dataclass(frozen=True)
class Row:
    """`cells` has None for what was never answered, but for the class itself."""

    label: str
    cells: tuple[Cell | None, ...]
    images: int


@dataclass(frozen=True)
class Pair:
    actual: str
    predicted: str
    count: int


@dataclass(frozen=True)
class Confusion:
    """`left_out` is the number of classes that the table does not show, and only then are there `pairs`."""

    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    left_out: int


def shaded(evaluation: Evaluation) -> Confusion | None:
    """Shade the matrix, or that of the 20 most confused classes; None where its shape does not fit its classes."""
    labels = evaluation.classes
    if (
        not labels
        or len(evaluation.confusion) != len(labels)
        or any(len(row) != len(labels) for row in evaluation.confusion)
    ):
        return None
    if not all(0 <= count < 2**53 for row in evaluation.confusion for count in row):
        return None
    if len(labels) <= MOST_CLASSES:
        return Confusion(tuple(labels), _rows(evaluation, range(len(labels))), pairs=(), left_out=0)
    counts = np.array(evaluation.confusion, dtype=np.float64)
    kept = _most_confused(counts)
    return Confusion(
        labels=tuple(labels[index] for index in kept),
        rows=_rows(evaluation, kept),
        pairs=_worst_pairs(counts, labels),
        left_out=len(labels) - len(kept),
    )


def _rows(evaluation: Evaluation, kept: Sequence[int]) -> tuple[Row, ...]:
    counts = [evaluation.confusion[actual] for actual in kept]
    return tuple(
        Row(evaluation.classes[actual], _cells(row, actual, kept), sum(row))
        for actual, row in zip(kept, counts, strict=True)
    )


def _most_confused(counts: NDArray[np.float64]) -> list[int]:
    misses = counts - np.diag(counts.diagonal())
    wrong = misses.sum(axis=0) + misses.sum(axis=1)
    order = np.argsort(-wrong, kind="stable")[:MOST_CLASSES]
    return sorted(int(index) for index in order)


def _cells(counts: Sequence[int], actual: int, kept: Sequence[int]) -> tuple[Cell | None, ...]:
    images = sum(counts) or 1
    return tuple(
        Cell(
            count=counts[predicted],
            shade=min(SHADES, ceil(counts[predicted] / images * SHADES)),
            is_hit=actual == predicted,
            share=counts[predicted] / images,
            key=f"{actual}-{predicted}",
        )
        if counts[predicted] or actual == predicted
        else None
        for predicted in kept
    )


def _worst_pairs(counts: NDArray[np.float64], labels: list[str]) -> tuple[Pair, ...]:
    misses = counts - np.diag(counts.diagonal())
    order = np.argsort(-misses, axis=None, kind="stable")[:MOST_PAIRS]
    found = [(int(index) // len(labels), int(index) % len(labels)) for index in order]
    return tuple(Pair(labels[a], labels[p], int(misses[a, p])) for a, p in found if misses[a, p])


def hardest_first(scores: list[ClassScore]) -> list[ClassScore]:
    """Classes by F1, the lowest first."""
    return sorted(scores, key=lambda score: score.f1)
