"""Predictions to numbers. Only NumPy, so that everything that compares runs can use it."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

VERSION = 1
Z_95 = 1.959963984540054  # the normal distribution's 97.5 % quantile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def softmax(logits: Floats) -> Floats:
    """Probabilities of *logits* (images, classes), row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927); it holds the proportion and stays inside [0, 1]."""
    p = successes / n
    centre = p + Z_95**2 / (2 * n)
    margin = Z_95 * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n**2))
    scale = 1 + Z_95**2 / n
    low, high = (centre - margin) / scale, (centre + margin) / scale
    return max(0.0, min(p, low)), min(1.0, max(p, high))  # 190 of 190 gives 1 - 2e-16 for high


def confusion_matrix(labels: Integers, predicted: Integers, classes: int) -> Integers:
    """Counts (actual, predicted)."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def precision_recall_f1(confusion: Integers) -> tuple[Floats, Floats, Floats]:
    """Per class; 0 where a class was never predicted or never there."""
    hits = confusion.diagonal().astype(np.float64)
    precision = hits / np.maximum(confusion.sum(axis=0), 1)
    recall = hits / np.maximum(confusion.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    return precision, recall, f1


def negative_log_likelihood(probabilities: Floats, labels: Integers) -> float:
    """Mean over the images, in nats; probabilities are kept above the smallest positive double."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())


def brier_score(probabilities: Floats, labels: Integers) -> float:
    """Mean squared distance to the one-hot label, summed over classes (Brier 1950): 0 is best, 2 is worst."""
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - one_hot) ** 2).sum(axis=1).mean())


@dataclass(frozen=True)
class CalibrationBin:
    """Images whose confidence lies in (`low`, `high`]."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def calibration(probabilities: Floats, labels: Integers, bins: int = 15) -> tuple[float, list[CalibrationBin]]:
    """Expected calibration error over equal-width bins (Guo et al. 2017, 15 bins) and the bins that hold images."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    found = [
        CalibrationBin(
            low=index / bins,
            high=(index + 1) / bins,
            images=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(correct[inside].mean()),
        )
        for index in range(bins)
        if (inside := which == index).any()
    ]
    error = sum(one.images * abs(one.accuracy - one.confidence) for one in found) / len(labels)
    return error, found


@dataclass(frozen=True)
class Curve:
    """Points of a curve, one per threshold, and the area under it."""

    x: Floats
    y: Floats
    area: float


def _cumulative(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """True and false positives at every distinct threshold, from the highest score down."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    true = np.cumsum(positive[order])[last_of_tie].astype(np.float64)
    false = np.cumsum(~positive[order])[last_of_tie].astype(np.float64)
    return true, false


def roc_curve(scores: Floats, positive: NDArray[np.bool_]) -> Curve | None:
    """False against true positive rate, area by trapezoids; None unless both outcomes occur."""
    if positive.all() or not positive.any():
        return None
    true, false = _cumulative(scores, positive)
    x = np.concatenate([[0.0], false / false[-1]])
    y = np.concatenate([[0.0], true / true[-1]])
    return Curve(x, y, float(np.trapezoid(y, x)))


def precision_recall_curve(scores: Floats, positive: NDArray[np.bool_]) -> Curve | None:
    """Recall against precision, area as average precision (no interpolation); None without a positive."""
    if not positive.any():
        return None
    true, false = _cumulative(scores, positive)
    recall, precision = true / true[-1], true / (true + false)
    area = float((np.diff(recall, prepend=0.0) * precision).sum())
    return Curve(recall, precision, area)


def mcnemar_p(won: int, lost: int) -> float:
    """Two-sided exact p of McNemar's test: is the coin that decided the changed images fair?"""
    n = won + lost
    ways = tail = 1
    for k in range(min(won, lost)):
        ways = ways * (n - k) // (k + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << n))
