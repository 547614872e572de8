"""How accuracy, parity, size and latency went from version to version: a small chart each."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from runhive.report.chart import Chart, Dot, Line, Scale, Tick, bands, drawable, path, pieces, ticks
from runhive.report.models import ModelView, VersionRow
from runhive.report.numerals import number, percent, size

HEIGHT = 110
LONGEST = 30  # versions


@dataclass(frozen=True)
class Measure:
    """A number of a version, and its words. `same_images` is set where it says nothing across two evaluation sets."""

    name: str
    of: Callable[[VersionRow], float | None]
    words: Callable[[float], str]
    low: Callable[[VersionRow], float | None] = lambda row: None
    high: Callable[[VersionRow], float | None] = lambda row: None
    same_images: bool = False


MEASURES = (
    Measure(
        "accuracy, with its 95 % interval", lambda row: row.accuracy, percent, lambda row: row.low,
        lambda row: row.high, same_images=True,
    ),
    Measure(
        "largest difference of ONNX to torch logits, over their spread",
        lambda row: row.parity.relative_difference if row.parity else None, number,
    ),
    Measure(
        "size of the ONNX file",
        lambda row: row.parity.onnx_bytes if row.parity else None, lambda count: size(int(count)),
    ),
    Measure(
        "time of ONNX Runtime for one image",
        lambda row: row.parity.onnx_milliseconds if row.parity else None, lambda value: f"{number(value)} ms",
    ),
)  # fmt: skip


def trends(key: str, view: ModelView) -> list[Chart]:
    """Draw what the runs of the last versions reported, for each measure that at least two of them have."""
    found = (_trend(f"{key}-{index}", measure, view.rows) for index, measure in enumerate(MEASURES))
    return [chart for chart in found if chart]


def _trend(key: str, measure: Measure, newest_first: list[VersionRow]) -> Chart | None:
    """A line that breaks where two neighbours were measured on different images, if that matters."""
    known = [(row, value) for row in newest_first if (value := measure.of(row)) is not None and drawable(value)]
    rows = known[:LONGEST][::-1]
    if len(rows) < 2:
        return None
    reach = [
        bound for row, value in rows for bound in (value, measure.low(row), measure.high(row)) if bound is not None
    ]
    grid = ticks(min(reach), max(reach), 3)
    x, y = Scale(0, len(rows) - 1, 0, 100), Scale(grid[0], grid[-1], HEIGHT, 0)
    placed = [(x(index), row, value) for index, (row, value) in enumerate(rows)]
    digest = (lambda row: row.scored_digest) if measure.same_images else (lambda row: "")
    parts = pieces(placed, lambda left, right: digest(left[1]) != digest(right[1]))
    breaks = [(before[-1][0] + after[0][0]) / 2 for before, after in pairwise(parts)]
    first, last = rows[0][0].version, rows[-1][0].version
    return Chart(
        key=key,
        title=measure.name,
        description=f"{measure.name}, from {first.title} to {last.title}.",
        height=HEIGHT,
        x_ticks=(Tick(0, f"v{first.version}"), Tick(100, f"v{last.version}")),
        y_ticks=tuple(Tick(y(one), measure.words(one)) for one in grid),
        lines=(
            Line(
                css="check",
                label="",
                paths=tuple(path([(at, y(value)) for at, _, value in part]) for part in parts),
                dots=tuple(_dot(at, y(value), row, measure.words(value)) for at, row, value in placed),
                label_y=None,
            ),
        ),
        marks=tuple(Tick(at, "other images") for at in breaks),
        bands=bands(([(at, measure.low(row), measure.high(row)) for at, row, _ in part] for part in parts), y),
    )


def _dot(x: float, y: float, row: VersionRow, words: str) -> Dot:
    on = f" on {row.scored_on}, set {row.scored_digest[:12]}" if row.scored_on else ""
    return Dot(x, y, f"{row.version.title}: {words}{on}", page=row.page)
