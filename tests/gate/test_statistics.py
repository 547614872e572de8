"""The gate's statistics against other people's, and what holds of them for all numbers."""

from math import log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from runhive.gate.statistics import difference_bounds, expected_optimism, worse_p

COUNTS = st.integers(0, 60)
LEVELS = st.sampled_from([0.005, 0.025, 0.05, 0.1])


@given(COUNTS, COUNTS)
def test_the_p_is_that_of_scipys_binomial_test(won: int, lost: int) -> None:
    if won + lost:
        assert worse_p(won, lost) == pytest.approx(stats.binomtest(lost, won + lost, alternative="greater").pvalue)


def test_six_lost_and_one_won_is_one_sixteenth() -> None:
    assert worse_p(1, 6) == 0.0625
    assert worse_p(0, 0) == 1.0


@given(COUNTS, COUNTS)
def test_one_more_lost_is_never_less_suspicious(won: int, lost: int) -> None:
    assert worse_p(won, lost + 1) <= worse_p(won, lost)
    assert worse_p(won + 1, lost) >= worse_p(won, lost)


def likelihood_score(won: int, lost: int, items: int, delta: float) -> float:
    """Tango's statistic with the constrained maximum found by search instead of by his formula."""

    def minus_log(share: float) -> float:
        terms = [(won, share + delta), (lost, share), (items - won - lost, 1 - 2 * share - delta)]
        return -sum(count * log(max(p, 1e-300)) for count, p in terms if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    share = optimize.minimize_scalar(minus_log, (low, high), bounds=(low, high), method="bounded",
                                     options={"xatol": 1e-12}).x  # fmt: skip
    return (won - lost - items * delta) / sqrt(items * (2 * share + delta - delta**2))


@pytest.mark.parametrize(("won", "lost", "items"), [(12, 2, 50), (1, 6, 153), (3, 9, 40), (5, 5, 20)])
@pytest.mark.parametrize("level", [0.025, 0.05])
def test_the_bounds_are_where_the_score_of_the_most_likely_shares_is_at_its_quantile(
    won: int, lost: int, items: int, level: float
) -> None:
    low, high = difference_bounds(won, lost, items, level)
    z = stats.norm.ppf(1 - level)

    assert likelihood_score(won, lost, items, low) == pytest.approx(z, abs=2e-4)
    assert likelihood_score(won, lost, items, high) == pytest.approx(-z, abs=2e-4)


def test_the_bounds_are_those_of_the_literature() -> None:
    """Airway hyper-responsiveness, 1 and 7 changed of 21 (Fagerland, Lydersen and Laake, Stat. Med. 2014)."""
    assert difference_bounds(1, 7, 21, 0.025) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(COUNTS, COUNTS, st.integers(0, 100), LEVELS)
def test_the_bounds_hold_the_difference_and_swap_with_the_models(won: int, lost: int, same: int, level: float) -> None:
    items = won + lost + same
    if not items:
        return
    low, high = difference_bounds(won, lost, items, level)

    assert -1 <= low <= (won - lost) / items <= high <= 1
    other = difference_bounds(lost, won, items, level)
    assert (-other[1], -other[0]) == pytest.approx((low, high), abs=1e-9)


@given(COUNTS, COUNTS, st.integers(1, 100))
def test_a_stricter_level_leaves_more_open(won: int, lost: int, same: int) -> None:
    items = won + lost + same
    wide, narrow = difference_bounds(won, lost, items, 0.01), difference_bounds(won, lost, items, 0.1)

    assert wide[0] <= narrow[0] + 1e-12
    assert narrow[1] <= wide[1] + 1e-12


@pytest.mark.parametrize("tried", [2, 3, 5, 10, 50, 200])
def test_the_optimism_is_the_expected_largest_of_normals(tried: int) -> None:
    largest, _ = integrate.quad(lambda x: x * tried * stats.norm.pdf(x) * stats.norm.cdf(x) ** (tried - 1), -10, 10)

    assert expected_optimism(0.5, 100, tried) == pytest.approx(largest * 0.05, rel=0.05)
    assert expected_optimism(0.5, 100, 1) == 0.0
