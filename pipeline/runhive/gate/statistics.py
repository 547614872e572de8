"""What two models' answers to the same items show, and what they cannot. Only the standard library."""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

BISECTIONS = 60  # halves an interval of 2 to less than a double can tell


def worse_p(won: int, lost: int) -> float:
    """One-sided exact p of McNemar's test (1947): how likely a fair coin loses at least *lost* of the changed items."""
    changed = won + lost
    ways = tail = 1
    for k in range(changed - lost):
        ways = ways * (changed - k) // (k + 1)
        tail += ways
    return tail / (1 << changed)


def difference_bounds(won: int, lost: int, items: int, level: float) -> tuple[float, float]:
    """Score bounds of a paired difference of shares, won minus lost over *items* (Tango 1998, Stat. Med. 17:891).

    Each is one-sided: below the lower, or above the upper, lies the truth with probability *level* at most, nearly.
    """
    z = NormalDist().inv_cdf(1 - level)
    difference = (won - lost) / items
    return (
        _bisect(-1.0, difference, lambda delta: _score(won, lost, items, delta) > z),
        _bisect(1.0, difference, lambda delta: _score(won, lost, items, delta) < -z),
    )


def _score(won: int, lost: int, items: int, delta: float) -> float:
    """How many standard errors the difference lies above *delta*, with the shares most likely under that *delta*."""
    a = 2 * items
    b = -won - lost + (2 * items - won + lost) * delta
    c = -lost * delta * (1 - delta)
    share = (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)  # of lost items, were *delta* the truth
    variance = items * (2 * share + delta * (1 - delta))
    gap = won - lost - items * delta
    if variance <= 0:
        return 0.0 if gap == 0 else gap * float("inf")
    return gap / sqrt(variance)


def _bisect(outside: float, inside: float, is_outside: Callable[[float], bool]) -> float:
    """Where *is_outside* changes its answer between the two."""
    if not is_outside(outside):
        return outside
    for _ in range(BISECTIONS):
        middle = (outside + inside) / 2
        if is_outside(middle):
            outside = middle
        else:
            inside = middle
    return inside


def expected_optimism(accuracy: float, items: int, tried: int) -> float:
    """How much the best of *tried* equally good models exceeds its true accuracy on the items it was picked on.

    The expected largest of *tried* standard normals, by Blom's formula (Statistical Estimates and Transformed
    Beta-Variables, 1958), times the standard error. Models of one family make alike mistakes: an upper estimate.
    """
    if tried < 2 or not items:
        return 0.0
    return NormalDist().inv_cdf((tried - 0.375) / (tried + 0.25)) * sqrt(accuracy * (1 - accuracy) / items)
