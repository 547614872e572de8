"""system.csv, what a run took from its machine, to one curve a quantity."""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice

from runhive.report.chart import Chart, drawable
from runhive.report.numerals import epoch_of, number
from runhive.report.scalars import plain_chart

MOST_ROWS = 100_000
LONGEST = 10**9  # seconds
GIGABYTE = 1e9
CHARTS: tuple[tuple[str, str, Callable[[float], float]], ...] = (
    ("cpu_percent", "Processors in use", lambda percent: percent / 100),
    ("memory_bytes", "Memory, GB", lambda size: size / GIGABYTE),
    ("gpu_percent", "GPU use, %", lambda percent: percent),
    ("gpu_memory_bytes", "GPU memory, GB", lambda size: size / GIGABYTE),
)

Sample = tuple[float, dict[str, str]]


def usage_charts(content: bytes) -> list[Chart]:
    """Draw each quantity that has two samples or more, by seconds; none where *content* is no such table."""
    try:
        taken = list(samples(content))
        drawn = [(*told, _points(taken, *told[::2])) for told in CHARTS]
    except (ValueError, csv.Error):
        return []
    return [
        plain_chart(f"usage-{column}", title, f"{title}: at most {number(max(value for _, value in points))}.", points)
        for column, title, _, points in drawn
        if len(points) > 1
    ]


def samples(content: bytes) -> Iterator[Sample]:
    """Each sample with its seconds after the first one. Raises ValueError or csv.Error for what is no such table."""
    first = None
    for row in islice(csv.DictReader(io.StringIO(content.decode("utf-8"))), MOST_ROWS):
        at = epoch_of(row.get("time"))
        if at is None:
            raise ValueError("no time")
        first = at if first is None else first
        yield at - first, row


def _points(taken: list[Sample], column: str, unit: Callable[[float], float]) -> list[tuple[int, float]]:
    """Second and value; of one second the last counts, and a clock that was set back leaves out what comes before."""
    values = {int(second): unit(float(row[column])) for second, row in taken if row.get(column)}
    return sorted((second, value) for second, value in values.items() if 0 <= second < LONGEST and drawable(value))
