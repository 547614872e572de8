"""Steps in a series: found where they are, and one false alarm in a hundred series at most."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runhive.metrics import wilson_interval
from runhive.report.steps import LEVEL, standard_error, steps, two_sided_p

Noise = Callable[[np.random.Generator, int], "np.typing.NDArray[np.float64]"]
SERIES = 600
NOISES: dict[str, Noise] = {
    "normal": lambda chance, n: chance.normal(size=n),
    "long-tailed": lambda chance, n: chance.laplace(size=n),
    "skew, as times are": lambda chance, n: chance.lognormal(0, 0.3, n),
    "shares of 153 images": lambda chance, n: chance.binomial(153, 0.95, n) / 153,
}


def errors_of(shares: Sequence[float], images: int) -> list[float]:
    return [standard_error(*wilson_interval(round(share * images), images)) for share in shares]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("n", [6, 15, 60])
def test_of_series_without_a_step_at_most_one_in_a_hundred_is_flagged(noise: str, n: int) -> None:
    chance = np.random.default_rng(n)
    alarms = sum(bool(steps(NOISES[noise](chance, n))) for _ in range(SERIES))

    most = LEVEL * SERIES + 3 * (LEVEL * SERIES) ** 0.5  # three standard deviations of a count of that mean
    assert alarms <= most


def test_shares_with_intervals_are_flagged_no_more_often_than_by_two_proportions() -> None:
    chance = np.random.default_rng(1)
    drawn = [chance.binomial(153, 0.97, 20) / 153 for _ in range(SERIES)]

    assert sum(bool(steps(shares, errors_of(shares, 153))) for shares in drawn) <= LEVEL * SERIES


@pytest.mark.parametrize("place", [3, 10, 17])
def test_a_large_step_is_found_at_its_place_from_the_third_value_on(place: int) -> None:
    chance = np.random.default_rng(place)
    values = np.where(np.arange(20) < place, 0.0, 8.0) + chance.normal(size=20)
    (found,) = steps(values)

    assert found.index == place
    assert found.before == pytest.approx(values[:place].mean())
    assert found.after == pytest.approx(values[place:].mean())
    assert found.p < LEVEL


def test_two_values_on_a_new_level_are_not_a_step_yet() -> None:
    values = [1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0, 9.0, 9.1]

    assert [step.index for step in steps(values[:-2])] == []
    assert [step.index for step in steps([*values, 9.0])] == [7]


def test_steps_there_and_back_are_two() -> None:
    values = [1.0, 1.1, 0.9, 1.05] * 2 + [4.0, 4.1, 3.9, 4.05] * 2 + [1.0, 1.1, 0.9, 1.05] * 2

    assert [step.index for step in steps(values)] == [8, 16]


def test_what_has_no_noise_steps_where_it_changes() -> None:
    """The size of a file."""
    assert [step.index for step in steps([44e6] * 5 + [11e6] * 3)] == [5]


def test_a_step_within_the_interval_s_noise_is_none() -> None:
    shares = [0.95] * 4 + [0.94] * 4

    assert [step.index for step in steps(shares)] == [4]
    assert steps(shares, errors_of(shares, 100)) == []
    assert [step.index for step in steps(shares, errors_of(shares, 100_000))] == [4]


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0, 4.0, 5.0], [0.7] * 50])
def test_short_and_constant_series_have_no_step(values: list[float]) -> None:
    assert steps(values) == []


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-1000, 1000), min_size=6, max_size=40),
    shift=st.integers(-(10**6), 10**6),
    scale=st.sampled_from([0.125, 1.0, 64.0]),
)
def test_steps_do_not_depend_on_the_unit(values: list[int], shift: int, scale: float) -> None:
    moved = [scale * (value + shift) for value in values]

    assert [step.index for step in steps(moved)] == [step.index for step in steps(values)]


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [(12.706, 1, 0.05), (2.776, 4, 0.05), (4.604, 4, 0.01), (2.042, 30, 0.05), (3.646, 30, 0.001)],
)
def test_p_is_that_of_the_tables(t: float, freedom: int, p: float) -> None:
    """A little too high far out, which is the safe side."""
    assert 0.99 * p < two_sided_p(t, freedom) < 1.3 * p
