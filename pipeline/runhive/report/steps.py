"""Where a series of measurements changed its level: the maximal t test, in each piece again until none is found.

For every place in a stretch of the series, the mean before it is put against the mean after it (Hawkins 1977; Worsley
1979, Journal of the American Statistical Association 74, 365-367). Stretches are the whole series, its halves, quarters
and so on, each overlapping the next by half, so that a step there and back is seen, too (Kovacs et al. 2023, Biometrika
110, 249-256). The place with the smallest p counts where that, times the number of places that were tried (Bonferroni),
is below 1 %. The noise is taken to be no smaller than neighbours in the whole series differ and, where the values come
with a 95 % interval, than that says: for a share of right answers this is the test of two proportions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erfc, inf, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from runhive.metrics import Z_95

LEVEL = 0.01
FEWEST = 6  # values in a series that is tested
SIDE = 3  # values on either side of a step
LONGEST = 200  # the last values of a series


@dataclass(frozen=True)
class Step:
    """The value at `index` is the first on the new level; `p` is corrected for the number of places tried."""

    index: int
    before: float
    after: float
    p: float


def steps(values: Sequence[float], errors: Sequence[float] | None = None) -> list[Step]:
    """Find the steps in *values*, in their order; *errors* are the values' standard errors, where they are known."""
    known = np.asarray(values, dtype=np.float64)
    stated = np.zeros(len(known)) if errors is None else np.asarray(errors, dtype=np.float64) ** 2
    start = max(0, len(known) - LONGEST)
    return _split(known, np.maximum(stated, _flutter(known[start:])), start, len(known))


def _flutter(values: NDArray[np.float64]) -> float:
    """The variance of *values* by what neighbours differ, without the largest tenth, in which steps would be.

    In a short stretch, values may be alike by chance.
    """
    squares = np.sort(np.diff(values) ** 2) / 2
    kept = squares[: len(squares) - max(2, len(squares) // 10)]
    return float(kept.mean()) if len(kept) else 0.0


def standard_error(low: float, high: float) -> float:
    """The standard error behind a 95 % interval."""
    return (high - low) / (2 * Z_95)


def _split(values: NDArray[np.float64], variances: NDArray[np.float64], start: int, end: int) -> list[Step]:
    """The steps between *start* and *end*, in their order."""
    place = _likeliest(values, variances, start, end)
    if place is None:
        return []
    index, p = place
    return [
        *_split(values, variances, start, index),
        Step(index, float(values[start:index].mean()), float(values[index:end].mean()), p),
        *_split(values, variances, index, end),
    ]


def _likeliest(
    values: NDArray[np.float64], variances: NDArray[np.float64], start: int, end: int
) -> tuple[int, float] | None:
    """The place of the most significant step and its corrected p; None where it is not significant."""
    found: list[tuple[float, int]] = []
    tried = 0
    for low, high in _stretches(start, end):
        tried += high - low - 2 * SIDE + 1
        if values[low:high].min() < values[low:high].max():
            place, p = _largest(values[low:high], float(variances[low:high].mean()))
            found.append((p, low + place))
    p, index = min(found, default=(1.0, start))
    return (index, p * tried) if found and p * tried < LEVEL else None


def _stretches(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole, then overlapping halves, quarters and so on, as long as they can be tested."""
    length = end - start
    while length >= FEWEST:
        last = end - length
        yield from ((low, low + length) for low in sorted({*range(start, last, max(1, length // 2)), last}))
        length //= 2


def _largest(values: NDArray[np.float64], least: float) -> tuple[int, float]:
    """The place with the largest t, and its p alone; *least* is what the noise's variance is at least."""
    n = len(values)
    places = np.arange(SIDE, n - SIDE + 1)
    centred = values - values.mean()  # sums of squares of large, near values would cancel
    sums, squares = centred.cumsum(), (centred**2).cumsum()
    before, after = sums[places - 1] / places, (sums[-1] - sums[places - 1]) / (n - places)
    within = squares[-1] - places * before**2 - (n - places) * after**2
    rounding = 1e-12 * squares[-1]
    variance = np.maximum(np.where(within > rounding, within, 0) / (n - 2), least)
    with np.errstate(divide="ignore"):
        t = np.abs(after - before) / np.sqrt(variance * (1 / places + 1 / (n - places)))
    best = int(t.argmax())
    return int(places[best]), two_sided_p(float(t[best]), n - 2)


def two_sided_p(t: float, freedom: int) -> float:
    """Student's two-sided p, by the normal distribution at Wallace's transform of *t* (1959, within 2 % or so)."""
    if t == inf:
        return 0.0
    z = sqrt(freedom * log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return erfc(z / sqrt(2))
