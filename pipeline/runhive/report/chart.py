"""Numbers to the geometry of a line chart. The template draws it, so that every label is escaped there.

Across, positions are shares of the width in percent; down, they are pixels. So the drawing stretches with the page
while its text and its strokes keep their size.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import TypeVar

from markupsafe import Markup

from runhive.report.numerals import when

Item = TypeVar("Item")

WIDTH = 1000  # units of the stretched drawing
DRAWABLE = 1e12  # beyond it a value is a diverged one


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Dot:
    """A value that can be pointed at; `page` is the address of what it stands for, `radius` in pixels."""

    x: float
    y: float
    label: str
    page: str | None = None
    hollow: bool = False
    radius: float = 2.5


@dataclass(frozen=True)
class Line:
    """`css` gives colour and dash; `paths` are the pieces between the gaps; `label_y` keeps labels apart."""

    css: str
    label: str
    paths: tuple[Markup, ...]
    dots: tuple[Dot, ...]
    label_y: float | None


@dataclass(frozen=True)
class Chart:
    """`marks` are upright lines with a label; `bands` are polygons."""

    key: str
    title: str
    description: str
    height: int
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    marks: tuple[Tick, ...] = ()
    bands: tuple[Markup, ...] = ()


@dataclass(frozen=True)
class Scale:
    """A value to its place: `low` goes to `start`, `high` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def places(self, values: Iterable[float]) -> list[float]:
        """The place of each of *values*."""
        low, span, start, length = self.low, self.high - self.low, self.start, self.end - self.start
        if not span:
            return [self(value) for value in values]
        return [start + (value - low) / span * length for value in values]


def drawable(value: float | None) -> bool:
    return value is not None and abs(value) < DRAWABLE  # as NaN is not


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round values, evenly spaced, that enclose *low* to *high*."""
    if high - low <= 1e-9 * max(1, abs(low), abs(high)):
        margin = abs(high) * 0.05 if abs(high) > 1e-6 else 0.5
        low, high = low - margin, high + margin
    rough = (high - low) / wanted
    magnitude: float = 10.0 ** floor(log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999)
    return [index * step for index in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def decimals(values: Sequence[float], most: int = 6) -> int:
    """How many decimals tell evenly spaced *values* apart."""
    for places in range(most):
        if all(abs(round(value, places) - value) < 1e-9 * max(1, abs(value)) for value in values):
            return places
    return most


def axis(values: Sequence[float], place: Scale, factor: float = 1) -> tuple[Tick, ...]:
    """Evenly spaced *values* at their places, told times *factor* with the decimals that tell them apart."""
    told = [factor * value for value in values]
    places = decimals(told)
    return tuple(Tick(place(value), f"{one:.{places}f}") for value, one in zip(values, told, strict=True))


def whole_ticks(low: int, high: int, wanted: int = 6) -> list[int]:
    """Round whole numbers between *low* and *high*, which are among them."""
    step = max(1, round(ticks(0, max(1, high - low), wanted)[1]))
    inner = [
        value for value in range((low // step + 1) * step, high, step) if min(value - low, high - value) * 2 > step
    ]
    return [low, *inner, high] if high > low else [low]


def time_ticks(first: object, last: object) -> tuple[Tick, ...]:
    """The two ends of runs by time: their days, with the minute where both are of one day."""
    ends = [when(one) for one in (first, last)]
    length = len("2026-11-25 17:00" if ends[0][:10] == ends[1][:10] else "2026-11-25")
    return Tick(0, ends[0][:length]), Tick(100, ends[1][:length])


def path(points: Iterable[tuple[float, float]]) -> Markup:
    """Points (percent, pixels) as a polyline's coordinates: only digits, so fit for a page as they are."""
    return Markup(" ".join(f"{x * WIDTH / 100:.0f},{y:.1f}" for x, y in points))


def bands(parts: Iterable[Sequence[tuple[float, float | None, float | None]]], y: Scale) -> tuple[Markup, ...]:
    """Places with a low and a high value, a polygon for each part in which two or more have both."""
    bounded = [[(x, low, high) for x, low, high in part if low is not None and high is not None] for part in parts]
    return tuple(
        path([*((x, y(high)) for x, _, high in part), *((x, y(low)) for x, low, _ in reversed(part))])
        for part in bounded
        if len(part) > 1
    )


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """Every k-th item and the last, so that at most about *most* are left."""
    step = ceil(len(items) / most)
    return [item for index, item in enumerate(items) if index % step == 0 or index == len(items) - 1] if items else []


def pieces(items: Sequence[Item], breaks: Callable[[Item, Item], bool]) -> list[list[Item]]:
    """Cut *items* wherever *breaks* says so of two neighbours."""
    cut: list[list[Item]] = []
    for item in items:
        if cut and not breaks(cut[-1][-1], item):
            cut[-1].append(item)
        else:
            cut.append([item])
    return cut


def spread(wanted: Sequence[float], gap: float, height: float) -> list[float]:
    """Move label positions apart so that no two are closer than *gap*, within 0 to *height*."""
    placed = list(wanted)
    order = sorted(range(len(placed)), key=lambda index: placed[index])
    for lower, upper in pairwise(order):
        placed[upper] = max(placed[upper], placed[lower] + gap)
    over = max([0.0, *(placed[index] - height for index in order)])
    return [value - over for value in placed]
