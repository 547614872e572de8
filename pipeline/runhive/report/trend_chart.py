"""One series as a static chart: values with their intervals, the best so far, breaks and steps."""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from runhive.report.chart import Chart, Dot, Line, Scale, Tick, axis, bands, path, ticks, time_ticks
from runhive.report.score import is_better, is_share, shown, shown_change
from runhive.report.series import Measured, Series
from runhive.report.text import clip

HEIGHT = 150
LONGEST = 100  # runs
Placed = tuple[float, Measured]


def trend_chart(key: str, series: Series) -> Chart | None:
    """Draw the last 100 measurements; None for fewer than two."""
    hidden = max(0, len(series.measured) - LONGEST)
    kept = Series(series.experiment, series.metric, series.measured[hidden:], [])
    if len(kept.measured) < 2:
        return None
    metric, measured = series.metric, kept.measured
    reach = [bound for one in measured for bound in (one.value, one.low, one.high) if bound is not None]
    grid = ticks(min(reach), max(reach), 3)
    x, y = Scale(0, len(measured) - 1, 0, 100), Scale(grid[0], grid[-1], HEIGHT, 0)
    parts = _placed(kept.parts(), x)
    breaks = [
        Tick((one[-1][0] + other[0][0]) / 2, why)
        for (one, other), (_, why) in zip(pairwise(parts), kept.breaks(), strict=True)
    ]
    flagged = [
        Tick(x(step.index - hidden - 0.5), shown_change(metric, step.after - step.before))
        for step in series.steps
        if step.index > hidden
    ]
    unit, factor = _unit(metric)
    return Chart(
        key=key,
        title=f"{clip(metric, 60)}{unit}, last {len(measured)} runs",
        description=_describe(series, measured),
        height=HEIGHT,
        x_ticks=time_ticks(measured[0].started_at, measured[-1].started_at),
        y_ticks=axis(grid, y, factor),
        lines=(
            Line("best", "", tuple(_best(metric, part, y) for part in parts), (), None),
            Line(
                "check",
                "",
                tuple(path([(at, y(one.value)) for at, one in part]) for part in parts),
                tuple(_dot(metric, at, y, one) for part in parts for at, one in part),
                None,
            ),
        ),
        marks=(*breaks, *flagged),
        bands=bands(([(at, one.low, one.high) for at, one in part] for part in parts), y),
    )


def _placed(parts: Sequence[Sequence[Measured]], x: Scale) -> list[list[Placed]]:
    numbered = iter(range(sum(map(len, parts))))
    return [[(x(next(numbered)), one) for one in part] for part in parts]


def _unit(metric: str) -> tuple[str, float]:
    """What goes behind the metric's name, and the factor that makes it of a value."""
    return (", %", 100) if is_share(metric) else (", MB", 1e-6) if metric.endswith("_bytes") else ("", 1)


def _describe(series: Series, measured: Sequence[Measured]) -> str:
    first, last = (shown(series.metric, one.value) for one in (measured[0], measured[-1]))
    return f"{series.metric} by run, oldest first, from {first} to {last}; {len(series.steps)} flagged steps."


def _best(metric: str, part: Sequence[Placed], y: Scale) -> Markup:
    """The best value so far as a staircase; it begins again with each part."""
    corners: list[tuple[float, float]] = []
    best = part[0][1].value
    for at, one in part:
        corners.append((at, y(best)))
        if is_better(metric, one.value, best):
            best = one.value
            corners.append((at, y(best)))
    return path(corners)


def _dot(metric: str, at: float, y: Scale, one: Measured) -> Dot:
    interval = "" if one.low is None or one.high is None else f", {shown(metric, one.low)} to {shown(metric, one.high)}"
    on = {"images": "evaluation set", "data": "data", "machine": "machine"}.get(one.basis[0])
    basis = f", {on} {one.basis[1][:12]}" if on and one.basis[1] else ""
    return Dot(
        at, y(one.value), f"{one.run_id}: {shown(metric, one.value)}{interval}{basis}", f"../runs/{one.run_id}.html"
    )
