"""The samples of a run as the ledger keeps them: at most ROWS however long it took, and no digits that nobody reads."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

ROWS = 32
MEGABYTE = 10**6
Sample = dict[str, str]


def join_samples(before: bytes | None, new: bytes) -> bytes:
    """Return the table *before* with the samples of the table *new*, thinned; *new* again adds nothing."""
    header, samples = _read(new)
    earlier_header, earlier = _read(before or b"")
    if not samples:
        return before or new
    if earlier_header == header and earlier:
        last = earlier[-1]["time"]
        taken = max((count for count, sample in enumerate(samples, 1) if sample["time"] == last), default=0)
        samples = earlier + samples[taken:]
    size = math.ceil(len(samples) / ROWS)
    return _table(header, (_merged(samples[start : start + size]) for start in range(0, len(samples), size)))


def _read(table: bytes) -> tuple[list[str], list[Sample]]:
    """The header, and the samples but for those that a kill or a full disk has cut."""
    header, *rows = list(csv.reader(io.StringIO(table.decode(errors="replace")))) or [[]]
    return header, list(_samples(header, rows)) if "time" in header else []


def _samples(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Sample]:
    for row in rows:
        try:
            yield {name: _rounded(name, cell) for name, cell in zip(header, row, strict=True)}
        except (ValueError, OverflowError):  # too short, or no number
            continue


def _rounded(name: str, cell: str) -> str:
    """Whole seconds, percent and megabytes, of which the first three digits."""
    if name == "time":
        return datetime.fromisoformat(cell).isoformat(timespec="seconds")
    if cell and name.endswith("_bytes"):
        megabytes = round(float(cell) / MEGABYTE)
        return str(int(float(f"{megabytes:.3g}")) * MEGABYTE)
    return str(round(float(cell))) if cell and name.endswith("_percent") else cell


def _merged(samples: Sequence[Sample]) -> Sample:
    """Neighbours as one: of use the mean, of memory the highest, of the time and what counts up the last."""
    merged = dict(samples[-1])
    for name in merged:
        values = [int(sample[name]) for sample in samples if sample[name] and name.endswith(("_percent", "_bytes"))]
        if values and name.endswith("_percent"):
            merged[name] = str(round(sum(values) / len(values)))
        elif values and name.endswith("memory_bytes"):
            merged[name] = str(max(values))
    return merged


def _table(header: Sequence[str], samples: Iterable[Sample]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(samples)
    return text.getvalue().encode()
