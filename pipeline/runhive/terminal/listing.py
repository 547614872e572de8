"""Many runs: as a table, as JSON, as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import click

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.terminal.columns import SELECTED, chosen_cells, column_names, usual_cells
from runhive.terminal.output import print_json, print_line, print_table
from runhive.tracking import fields
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import COLUMNS, Row


@dataclass(frozen=True)
class Choice:
    """Which runs, in which order. `limit` None means all of them; archived ones only with `archived`."""

    filter: str = ""
    sort: str = ""
    limit: int | None = None
    archived: bool = False


def choose(ledger: Ledger, choice: Choice) -> list[Row]:
    """The runs of *choice*, newest first unless it says otherwise. Raises RunhiveError while there is none at all."""
    every = ledger.rows()
    if not every:
        raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
    rows = fields.select(every, choice.filter) if choice.filter else every
    rows = [row for row in rows if choice.archived or not row["archived"]]
    return (fields.sort(rows, choice.sort) if choice.sort else rows)[: choice.limit]


def print_rows(rows: Sequence[Row], columns: str) -> None:
    """Print one line a run: the usual columns, or those named in *columns*."""
    if not rows:
        print_line("no run matches")
        return
    header, cells = chosen_cells(rows, column_names(columns)) if columns else usual_cells(rows)
    left_out = print_table(header, cells, drop=not columns)
    if "score" in header and "score" not in left_out and any(row["selected"] for row in rows):
        print_line(f"{SELECTED} the epoch was selected on these images", "dim")
    if left_out:
        print_line(f"not shown: {', '.join(left_out)} (a wider window, or --columns)", "dim")


def print_rows_as_json(rows: Sequence[Row]) -> None:
    """Print a list with one flat object a run."""
    print_json(rows)


def print_rows_as_csv(rows: Sequence[Row], columns: str) -> None:
    """Print one line a run with every column, parameter and metric, or those named in *columns*, unrounded."""
    names = column_names(columns) if columns else all_names(rows)
    for name in names:
        fields.check_name(name, rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(one_line, names))
    writer.writerows([_csv_cell(fields.value(row, name)) for name in names] for row in rows)
    click.echo(text.getvalue(), nl=False)


def all_names(rows: Sequence[Row]) -> list[str]:
    """Every column of *rows*, parameters and metrics sorted after the others."""
    return [*COLUMNS, *sorted({name for row in rows for name in row}.difference(COLUMNS))]


def _csv_cell(value: object) -> str:
    joined = " ".join(map(str, value)) if isinstance(value, list) else value
    return "" if joined is None else one_line(str(joined))
