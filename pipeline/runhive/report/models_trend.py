"""How accuracy went from version to version, with its 95 % interval as a band."""

from itertools import pairwise

from markupsafe import Markup

from runhive.report.chart import Chart, Dot, Line, Scale, Tick, decimals, drawable, path, pieces, ticks
from runhive.report.models import ModelView, VersionRow
from runhive.report.numerals import percent

HEIGHT = 120
LONGEST = 30  # versions


def accuracy_trend(key: str, view: ModelView) -> Chart | None:
    """Draw the accuracies that the runs of the last versions reported; None for fewer than two.

    The line breaks where two neighbours were measured on different images.
    """
    known = [(row, row.accuracy) for row in view.rows if row.accuracy is not None and drawable(row.accuracy)]
    rows = known[:LONGEST][::-1]
    if len(rows) < 2:
        return None
    reach = [bound for row, value in rows for bound in (value, row.low, row.high) if bound is not None]
    grid = ticks(min(reach), max(reach), 3)
    x, y = Scale(0, len(rows) - 1, 0, 100), Scale(grid[0], grid[-1], HEIGHT, 0)
    placed = [(x(index), row, value) for index, (row, value) in enumerate(rows)]
    parts = pieces(placed, lambda left, right: left[1].scored_digest != right[1].scored_digest)
    breaks = [(before[-1][0] + after[0][0]) / 2 for before, after in pairwise(parts)]
    first, last = rows[0][0].version, rows[-1][0].version
    return Chart(
        key=key,
        title=f"accuracy, %, last {len(rows)} versions",
        description=f"accuracy by version, from {first.title} to {last.title}.",
        height=HEIGHT,
        x_ticks=(Tick(0, f"v{first.version}"), Tick(100, f"v{last.version}")),
        y_ticks=tuple(Tick(y(one), f"{100 * one:.{decimals([100 * one for one in grid])}f}") for one in grid),
        lines=(
            Line(
                css="check",
                label="",
                paths=tuple(path([(at, y(value)) for at, _, value in part]) for part in parts),
                dots=tuple(_dot(at, y(value), row, value) for at, row, value in placed),
                label_y=None,
            ),
        ),
        marks=tuple(Tick(at, "other images") for at in breaks),
        bands=tuple(band for part in parts if (band := _band([(at, row) for at, row, _ in part], y))),
    )


def _dot(x: float, y: float, row: VersionRow, value: float) -> Dot:
    label = f"{row.version.title}: {percent(value)} on {row.scored_on}, set {row.scored_digest[:12]}"
    return Dot(x, y, label, page=row.page)


def _band(part: list[tuple[float, VersionRow]], y: Scale) -> Markup:
    bounded = [(x, row.low, row.high) for x, row in part if row.low is not None and row.high is not None]
    if len(bounded) < 2:
        return Markup()
    return path([*((x, y(high)) for x, _, high in bounded), *((x, y(low)) for x, low, _ in reversed(bounded))])
