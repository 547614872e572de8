"""scalars.csv, the numbers that a run's own code logged, to one curve a name."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from runhive.report.chart import Chart, Line, Scale, Tick, axis, drawable, path, thinned, ticks, whole_ticks
from runhive.report.numerals import number
from runhive.report.text import clip, visible

COLUMNS = ["step", "name", "value", "seconds"]
HEIGHT = 190
MOST_ROWS = 100_000
MOST_CURVES = 24
MOST_POINTS = 1000
LAST_STEP = 10**12
Points = list[tuple[int, float]]


def scalar_charts(content: bytes) -> list[Chart]:
    """Draw the first 24 names that have more than one step; none where *content* is no such table."""
    series: defaultdict[str, Points] = defaultdict(list)
    try:
        for step, name, value in _rows(content):
            if drawable(value) and 0 <= step < LAST_STEP:
                series[name].append((step, value))
    except (ValueError, csv.Error):
        return []
    drawn = {name: sorted(dict(points).items()) for name, points in series.items()}  # of a step, the last counts
    long = [(name, points) for name, points in drawn.items() if len(points) > 1]
    return [_scalar_chart(index, name, points) for index, (name, points) in enumerate(long[:MOST_CURVES])]


def _rows(content: bytes) -> Iterator[tuple[int, str, float]]:
    rows = csv.reader(io.StringIO(content.decode("utf-8")))
    if next(rows, None) != COLUMNS:
        return
    for step, name, value, _ in islice(rows, MOST_ROWS):
        yield int(step), name, float(value)


def _scalar_chart(index: int, name: str, points: Points) -> Chart:
    """Draw what was logged under *name*, by step."""
    shown = visible(clip(name, 60))
    said = f"{shown} by step; {number(points[-1][1])} in step {points[-1][0]}."
    return plain_chart(f"scalar-{index}", shown, said, points)


def plain_chart(key: str, title: str, description: str, points: Sequence[tuple[int, float]]) -> Chart:
    """Draw one line through *points*, at least two, in the order of their whole-numbered places."""
    values = [value for _, value in points]
    grid = ticks(min(values), max(values))
    x, y = Scale(points[0][0], points[-1][0], 0, 100), Scale(grid[0], grid[-1], HEIGHT, 0)
    drawn = path([(x(step), y(value)) for step, value in thinned(points, MOST_POINTS)])
    return Chart(
        key=key,
        title=title,
        description=description,
        height=HEIGHT,
        x_ticks=tuple(Tick(x(step), str(step)) for step in whole_ticks(points[0][0], points[-1][0])),
        y_ticks=axis(grid, y),
        lines=(Line(css="check", label="", paths=(drawn,), dots=(), label_y=None),),
    )
