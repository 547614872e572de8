"""The report on the data at hand, as fetch wrote it."""

from collections.abc import Callable

from runhive.formats.data_report import DataReport, Distribution
from runhive.report import numerals
from runhive.terminal.output import print_json, print_line, print_section, print_table

MOST_LINES = 20
KINDS = {"bytes": "the same file", "pixels": "the same pixels", "near": "nearly the same"}
QUANTITIES: dict[str, tuple[str, Callable[[float], str]]] = {
    "shorter_side": ("shorter side, pixels", numerals.number),
    "aspect_ratio": ("width by height", lambda value: f"{value:.2f}"),
    "file_bytes": ("size of a file", lambda value: numerals.size(int(value))),
}


def print_report(report: DataReport) -> None:
    """Print *report* as tables, the first lines of long lists."""
    images = sum(sum(labels.values()) for labels in report.counts.values())
    print_line(f"{report.source}: {images:,} images, {numerals.size(report.bytes)}, digest {report.digest}")
    print_line()
    print_table(
        ["class", *report.counts],
        [[label, *(f"{labels.get(label, 0):,}" for labels in report.counts.values())] for label in report.classes],
    )
    print_section("Sizes", [_spread(name, one) for name, one in report.sizes.items() if name in QUANTITIES])
    _print_list("Left out", [(one.path, one.reason) for one in report.left_out])
    twice = [(KINDS[one.kind], *one.images[:4], _rest(len(one.images) - 4)) for one in report.duplicates]
    _print_list("There more than once", [(kind, ", ".join(filter(None, images))) for kind, *images in twice])


def print_report_as_json(report: DataReport) -> None:
    """Print all of *report*."""
    print_json(report.model_dump(mode="json"))


def _spread(name: str, spread: Distribution) -> tuple[str, ...]:
    title, show = QUANTITIES[name]
    low, middle, high = map(show, (spread.smallest, spread.median, spread.largest))
    return title, f"{low} to {high}", f"median {middle}"


def _print_list(title: str, rows: list[tuple[str, str]]) -> None:
    more = _rest(len(rows) - MOST_LINES)
    print_section(f"{title}: {len(rows):,}", [*rows[:MOST_LINES], *([(more, "see --json")] if more else [])])


def _rest(count: int) -> str:
    return f"and {count:,} more" if count > 0 else ""
