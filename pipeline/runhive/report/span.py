"""Intervals one under the other on one scale: does this run stand apart from its baseline?"""

from dataclasses import dataclass

from runhive.report.chart import Scale, Tick, axis, drawable, ticks
from runhive.report.score import Score, is_share


@dataclass(frozen=True)
class Bar:
    """Positions are percent of the width."""

    label: str
    score: Score
    low: float
    high: float
    middle: float
    css: str


@dataclass(frozen=True)
class Spans:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def spans(score: Score, baseline: Score | None) -> Spans | None:
    """Place *score* and, where the two may be compared, *baseline*; None without an interval."""
    shown = [("this run", score, "check")]
    if baseline is not None and baseline.comparable_on == score.comparable_on is not None:
        shown.append(("baseline", baseline, "train"))
    reach = [bound for _, one, _ in shown for bound in (one.low, one.value, one.high) if bound is not None]
    if any(one.low is None or one.high is None for _, one, _ in shown) or not all(map(drawable, reach)):
        return None
    grid = ticks(min(reach), max(reach), 4)
    place = Scale(grid[0], grid[-1], 0, 100)
    return Spans(
        bars=tuple(_bar(label, one, css, place) for label, one, css in shown),
        ticks=axis(grid, place, 100 if is_share(score.metric) else 1),
    )


def _bar(label: str, score: Score, css: str, place: Scale) -> Bar:
    assert score.low is not None and score.high is not None
    return Bar(label, score, place(score.low), place(score.high), place(score.value), css)
