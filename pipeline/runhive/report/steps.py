"""Where a series of measurements changed its level: the maximal t test, each piece again until none is found.

For every place in the series, the mean before it is put against the mean after it (Hawkins 1977; Worsley 1979, Journal
of the American Statistical Association 74, 365-367). The place with the largest t counts where its p, times the number
of places that were tried (Bonferroni), is below 1 %. Where the values come with a 95 % interval, the noise is taken to
be no smaller than the interval says: for a share of right answers this is the test of two proportions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, inf, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from runhive.metrics import Z_95

LEVEL = 0.01
FEWEST = 6  # values in a series that is tested
SIDE = 3  # values on either side of a step
LONGEST = 500  # the last values of a series


@dataclass(frozen=True)
class Step:
    """The value at `index` is the first on the new level; `p` is corrected for the number of places tried."""

    index: int
    before: float
    after: float
    p: float


def steps(values: Sequence[float], errors: Sequence[float] | None = None) -> list[Step]:
    """Find the steps in *values*, in their order; *errors* are the values' standard errors, where they are known."""
    noise = np.zeros(len(values)) if errors is None else np.asarray(errors, dtype=np.float64)
    start = max(0, len(values) - LONGEST)
    return _split(np.asarray(values, dtype=np.float64), noise**2, start, len(values))


def standard_error(low: float, high: float) -> float:
    """The standard error behind a 95 % interval."""
    return (high - low) / (2 * Z_95)


def _split(values: NDArray[np.float64], variances: NDArray[np.float64], start: int, end: int) -> list[Step]:
    found = _largest(values[start:end], variances[start:end])
    if found is None:
        return []
    place = start + found.index
    return [
        *_split(values, variances, start, place),
        Step(place, found.before, found.after, found.p),
        *_split(values, variances, place, end),
    ]


def _largest(values: NDArray[np.float64], variances: NDArray[np.float64]) -> Step | None:
    """The most significant step of *values*; None without one."""
    n = len(values)
    if n < FEWEST or values.min() == values.max():
        return None
    places = np.arange(SIDE, n - SIDE + 1)
    centred = values - values.mean()  # sums of squares of large, near values would cancel
    sums, squares = centred.cumsum(), (centred**2).cumsum()
    before, after = sums[places - 1] / places, (sums[-1] - sums[places - 1]) / (n - places)
    within = squares[-1] - places * before**2 - (n - places) * after**2
    floor = np.finfo(np.float64).eps * squares[-1]
    variance = np.maximum(np.where(within > floor, within, 0) / (n - 2), variances.mean())
    difference = np.abs(after - before)
    with np.errstate(divide="ignore"):
        t = difference / np.sqrt(variance * (1 / places + 1 / (n - places)))
    best = int(t.argmax())
    p = min(1.0, two_sided_p(float(t[best]), n - 2) * len(places))
    if p >= LEVEL:
        return None
    index = int(places[best])
    return Step(index, float(values[:index].mean()), float(values[index:].mean()), p)


def two_sided_p(t: float, freedom: int) -> float:
    """Student's two-sided p, by the normal distribution at Wallace's transform of *t* (1959, within 2 % or so)."""
    if t == inf:
        return 0.0
    z = sqrt(freedom * log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return erfc(z / sqrt(2))
