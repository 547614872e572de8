"""The tables that a run kept: their first rows."""

import csv
import io
from dataclasses import dataclass
from itertools import islice

from runhive.report.text import clip
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

MOST_TABLES = 12
MOST_ROWS = 10
MOST_COLUMNS = 12
MOST_BYTES = 2_000_000  # of one table: what is larger is only listed
KNOWN = ("history.csv", "predictions.csv", "scalars.csv", "system.csv", "manifest.csv")  # they are drawn otherwise


@dataclass(frozen=True)
class Table:
    """The first rows and columns of the file *name*; *total* counts its rows and *width* its columns."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    width: int


def kept_tables(run: Run, ledger: Ledger) -> list[Table]:
    """The first tables of *run* that the ledger holds and that can be read as such."""
    names = [
        (name, kept)
        for name, file in sorted(run.files.items())
        if file.get("kind") == "table" and (kept := file.get("ledger")) and kept not in KNOWN
    ]
    tables = (_table(name, ledger.file(run.run_id, kept)) for name, kept in names)
    return list(islice((table for table in tables if table), MOST_TABLES))


def _table(name: str, content: bytes | None) -> Table | None:
    if not content or len(content) > MOST_BYTES:
        return None
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8")), strict=True)
        header = next(rows, [])
        shown = [_cells(row) for row in islice(rows, MOST_ROWS)]
        return Table(name, _cells(header), tuple(shown), len(shown) + sum(1 for _ in rows), len(header))
    except (ValueError, csv.Error):
        return None


def _cells(row: list[str]) -> tuple[str, ...]:
    return tuple(clip(cell, 80) for cell in row[:MOST_COLUMNS])
