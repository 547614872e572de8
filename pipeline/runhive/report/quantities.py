"""A run's curves as data: what history.csv, scalars.csv and system.csv hold, with two axes each."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from operator import attrgetter

from runhive.report.chart import drawable
from runhive.report.curves import COLUMNS as HISTORY_COLUMNS
from runhive.report.curves import parse_history
from runhive.report.scalars import COLUMNS as SCALAR_COLUMNS
from runhive.report.scalars import LAST_STEP, MOST_ROWS
from runhive.report.usage import CHARTS, samples

MOST_POINTS = 1000
MOST_QUANTITIES = 200
DIGITS = 6
SYSTEM = tuple(column for column, _, _ in CHARTS)
Point = tuple[float, float, float]  # epoch, step or second; seconds since the start, shortened; value


@dataclass(frozen=True)
class Curve:
    """One quantity of one run. `axis` says what `at` counts: epoch, step or second."""

    name: str
    axis: str
    at: list[float]
    seconds: list[float]
    values: list[float]


def quantities(file: Callable[[str], bytes | None]) -> list[Curve]:
    """The first 200 curves of a run, whose files *file* gives by name. A damaged file has none."""
    found = [
        *_lenient(_history, file("history.csv")),
        *_lenient(_scalars, file("scalars.csv")),
        *_lenient(_system, file("system.csv")),
    ]
    return found[:MOST_QUANTITIES]


def _lenient(read: Callable[[bytes], list[Curve]], content: bytes | None) -> list[Curve]:
    try:
        return read(content or b"")
    except (ValueError, csv.Error):
        return []


def _history(content: bytes) -> list[Curve]:
    history = parse_history(content) or ()
    at, ends = [float(one.epoch) for one in history], list(accumulate(one.seconds for one in history))
    if not all(map(drawable, ends)):
        return []
    seconds = list(map(_short, ends))
    columns = {name: list(map(attrgetter(name), history)) for name in HISTORY_COLUMNS[1:]}
    return [
        _curve(name, "epoch", list(zip(at, seconds, values, strict=True)))
        for name, values in columns.items()
        if any(map(drawable, values))
    ]


def _scalars(content: bytes) -> list[Curve]:
    rows = csv.reader(io.StringIO(content.decode("utf-8")))
    if next(rows, None) != SCALAR_COLUMNS:
        return []
    series: defaultdict[str, dict[int, Point]] = defaultdict(dict)
    for step, name, value, seconds in islice(rows, MOST_ROWS):
        if 0 <= int(step) < LAST_STEP and drawable(float(value)):
            series[name][int(step)] = int(step), _short(float(seconds)), float(value)  # of a step, the last counts
    return [_curve(name, "step", sorted(points.values())) for name, points in series.items() if len(points) > 1]


def _system(content: bytes) -> list[Curve]:
    series: defaultdict[str, list[Point]] = defaultdict(list)
    for after, row in samples(content):
        second = round(after, 1)
        for name in SYSTEM:
            if after >= 0 and row.get(name) and drawable(float(row[name])):  # before 0: a clock that was set back
                series[name].append((second, _short(second), float(row[name])))
    return [_curve(name, "second", sorted(points)) for name, points in series.items() if len(points) > 1]


def _curve(name: str, axis: str, points: Sequence[Point]) -> Curve:
    kept = outlined([point for point in points if drawable(point[2])])
    at, seconds, values = (list(column) for column in zip(*kept, strict=True))
    return Curve(name, axis, at, seconds, list(map(_short, values)))


def outlined(points: Sequence[Point], most: int = MOST_POINTS) -> Sequence[Point]:
    """At most *most* of the points, so that the line looks the same: of each stretch, its lowest and its highest."""
    if len(points) <= most:
        return points
    bounds = [round(index * len(points) / (most // 2)) for index in range(most // 2 + 1)]
    kept: list[Point] = []
    for start, end in pairwise(bounds):
        stretch = points[start:end]
        kept += sorted({min(stretch, key=_value), max(stretch, key=_value)})
    return kept


def _value(point: Point) -> float:
    return point[2]


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
