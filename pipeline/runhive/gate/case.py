"""What the gate weighs, whatever the items are: two models' answers to the same items, and what the candidate costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runhive.metrics import calibration

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Probabilities (items, classes) that a model gave, its classes in their order."""

    classes: tuple[str, ...]
    probabilities: Floats

    def predicted(self) -> list[str]:
        """The most likely class of each item."""
        return [self.classes[index] for index in self.probabilities.argmax(axis=1)]


@dataclass(frozen=True)
class ItemSet:
    """A named evaluation set: the digest of its items, and their names and labels."""

    name: str
    digest: str
    items: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Paired:
    """Items of classes that both models know: which ones the candidate won and lost, and recall by class.

    `left_out` counts the items of other classes; `recall` holds items, the current model's hits, the candidate's.
    """

    items: int
    left_out: int
    won: tuple[str, ...]
    lost: tuple[str, ...]
    recall: dict[str, tuple[int, int, int]]


@dataclass(frozen=True)
class Measured:
    """A candidate on one set, and the current model on the same items where there is one.

    `selected` is set where the candidate's epoch was chosen on these items; `tried` counts the models scored on them.
    """

    items: ItemSet
    candidate: Answers
    current: Answers | None
    selected: bool
    tried: int
    digest_before: str | None

    def score(self) -> tuple[int, int]:
        """Right answers of the candidate among the items of classes that it knows, and the number of those."""
        pairs = [
            pair
            for pair in zip(self.items.labels, self.candidate.predicted(), strict=True)
            if pair[0] in self.candidate.classes
        ]
        return sum(label == answer for label, answer in pairs), len(pairs)

    def ece(self) -> float | None:
        """Expected calibration error of the candidate over the items of classes that it knows; None without any."""
        rows = [row for row, label in enumerate(self.items.labels) if label in self.candidate.classes]
        if not rows:
            return None
        labels = np.array([self.candidate.classes.index(self.items.labels[row]) for row in rows])
        return calibration(self.candidate.probabilities[rows], labels)[0]


@dataclass(frozen=True)
class Case:
    """All the evidence on a candidate. `parity` is None where it cannot be told, and `why_no_parity` says why.

    `faults` are those of the code and the data that it was made from.
    """

    candidate: str
    current: str | None
    sets: tuple[Measured, ...]
    parity: float | None
    why_no_parity: str
    onnx_bytes: int
    milliseconds: float
    faults: tuple[str, ...]
    machine: dict[str, Any]


def paired(items: ItemSet, candidate: Answers, current: Answers) -> Paired:
    """Compare the two on the items of classes that both know; each answers with all of its classes."""
    shared = set(candidate.classes) & set(current.classes)
    rows = zip(items.items, items.labels, candidate.predicted(), current.predicted(), strict=True)
    won: list[str] = []
    lost: list[str] = []
    recall, counted = dict.fromkeys(sorted(shared), (0, 0, 0)), 0
    for item, label, new, old in rows:
        if label not in shared:
            continue
        counted += 1
        total, before, after = recall[label]
        recall[label] = (total + 1, before + (old == label), after + (new == label))
        if (new == label) != (old == label):
            (won if new == label else lost).append(item)
    return Paired(counted, len(items.items) - counted, tuple(won), tuple(lost), recall)
