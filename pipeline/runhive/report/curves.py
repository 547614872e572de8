"""history.csv to learning curves: loss and accuracy, on the training and on the check images."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal

from markupsafe import Markup

from runhive.formats.history import Epoch
from runhive.report.chart import (
    Chart,
    Dot,
    Line,
    Scale,
    Tick,
    axis,
    drawable,
    path,
    pieces,
    spread,
    thinned,
    ticks,
    whole_ticks,
)
from runhive.report.numerals import number, percent

HEIGHT = 190
LABEL_GAP = 16
MOST_DOTS = 12  # more make a page heavy, and the table below the chart has each value
MOST_POINTS = 1000
LAST_EPOCH = 10**9
COLUMNS = [field.name for field in fields(Epoch)]
Quantity = Literal["loss", "accuracy"]


@dataclass(frozen=True)
class Frame:
    """The scales of one chart and how it shows a value."""

    x: Scale
    y: Scale
    show: Callable[[float], str]


@lru_cache(2)  # a run's page and its shard ask for the same
def parse_history(content: bytes) -> tuple[Epoch, ...] | None:
    """The epochs in *content*, or None where it is no history of this kind."""
    try:
        header, *rows = list(csv.reader(io.StringIO(content.decode("utf-8")))) or [[]]
        return tuple(map(_epoch, rows)) if header == COLUMNS else None
    except (ValueError, csv.Error):
        return None


def _epoch(row: Sequence[str]) -> Epoch:
    if len(row) != len(COLUMNS) or not 0 <= int(row[0]) < LAST_EPOCH:
        raise ValueError("no epoch")
    return Epoch(int(row[0]), *map(float, row[1:]))


def learning_curve(history: Sequence[Epoch], quantity: Quantity, chosen: int | None) -> Chart | None:
    """Draw *quantity* over the epochs and mark the *chosen* one; None without a single number."""
    series = {kind: _points(history, f"{kind}_{quantity}") for kind in ("train", "check")}
    values = [value for points in series.values() for _, value in points]
    if not values:
        return None
    epochs = [one.epoch for one in history]
    grid = ticks(min(values), max(values))
    frame = Frame(
        x=Scale(min(epochs), max(epochs), 0, 100),
        y=Scale(grid[0], grid[-1], HEIGHT, 0),
        show=percent if quantity == "accuracy" else number,
    )
    return Chart(
        key=quantity,
        title="Accuracy, %" if quantity == "accuracy" else "Loss",
        description=_describe(quantity, series, frame, chosen),
        height=HEIGHT,
        x_ticks=tuple(Tick(frame.x(epoch), str(epoch)) for epoch in whole_ticks(min(epochs), max(epochs))),
        y_ticks=axis(grid, frame.y, 100 if quantity == "accuracy" else 1),
        lines=_apart([_line(kind, points, frame) for kind, points in series.items() if points]),
        marks=(Tick(frame.x(chosen), f"epoch {chosen} kept"),) if chosen is not None and chosen in epochs else (),
    )


def _points(history: Sequence[Epoch], column: str) -> list[tuple[int, float]]:
    """Epoch and value, without what has diverged to no number."""
    values = [(one.epoch, getattr(one, column)) for one in history]
    return [point for point in values if drawable(point[1])]


def _line(kind: str, points: Sequence[tuple[int, float]], frame: Frame) -> Line:
    unbroken = pieces(points, lambda left, right: right[0] != left[0] + 1)
    dotted = points if len(points) <= MOST_DOTS else ()
    return Line(
        css=kind,
        label=kind,
        paths=tuple(_path(thinned(one, MOST_POINTS), frame) for one in unbroken),
        dots=tuple(
            Dot(frame.x(epoch), frame.y(value), f"{kind}, epoch {epoch}: {frame.show(value)}")
            for epoch, value in dotted
        ),
        label_y=frame.y(points[-1][1]),
    )


def _path(points: Sequence[tuple[int, float]], frame: Frame) -> Markup:
    epochs, values = zip(*points, strict=True)
    return path(zip(frame.x.places(epochs), frame.y.places(values), strict=True))


def _apart(lines: Sequence[Line]) -> tuple[Line, ...]:
    placed = spread([line.label_y or 0.0 for line in lines], LABEL_GAP, HEIGHT)
    return tuple(replace(line, label_y=label_y) for line, label_y in zip(lines, placed, strict=True))


def _describe(quantity: Quantity, series: dict[str, list[tuple[int, float]]], frame: Frame, chosen: int | None) -> str:
    ends = [f"{kind} {frame.show(points[-1][1])} in epoch {points[-1][0]}" for kind, points in series.items() if points]
    kept = "" if chosen is None else f" Epoch {chosen} was kept."
    return f"{quantity.capitalize()} by epoch; at the end {', '.join(ends)}.{kept}"
