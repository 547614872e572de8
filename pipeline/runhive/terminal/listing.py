"""Many runs: as a table, as JSON, as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.report.score import score_of
from runhive.terminal.columns import SELECTED, chosen_cells, column_names, default_cells
from runhive.terminal.output import print_json, print_line, print_table
from runhive.tracking import fields
from runhive.tracking.ledger import Ledger
from runhive.tracking.run import Run


@dataclass(frozen=True)
class Choice:
    """Which runs, in which order. `limit` None means all of them; archived ones only with `archived`."""

    filter: str = ""
    sort: str = ""
    limit: int | None = None
    archived: bool = False


def choose(ledger: Ledger, choice: Choice) -> list[Run]:
    """The runs of *choice*, newest first unless it says otherwise. Raises RunhiveError while there is none at all."""
    every = ledger.runs()
    if not every:
        raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
    runs = fields.select(every, choice.filter) if choice.filter else every
    runs = [run for run in runs if choice.archived or not run.archived]
    return (fields.sort(runs, choice.sort) if choice.sort else runs)[: choice.limit]


def print_runs(runs: Sequence[Run], columns: str) -> None:
    """Print one row a run: the usual columns, or those named in *columns*."""
    if not runs:
        print_line("no run matches")
        return
    names = column_names(columns) if columns else []
    header, rows = chosen_cells(runs, names) if names else default_cells(runs)
    left_out = print_table(header, rows, drop=not names)
    if "score" in header and "score" not in left_out and any((s := score_of(run)) and s.selected for run in runs):
        print_line(f"{SELECTED} the epoch was selected on these images", "dim")
    if left_out:
        print_line(f"not shown: {', '.join(left_out)} (a wider window, or --columns)", "dim")


def print_runs_as_json(runs: Sequence[Run]) -> None:
    """Print a list with one object a run."""
    print_json([brief(run) for run in runs])


def print_runs_as_csv(runs: Sequence[Run], columns: str) -> None:
    """Print one row a run with all fields, parameters and metrics, or those named in *columns*, unrounded."""
    flat = [_flat(run) for run in runs]
    if columns:
        names = column_names(columns)
        for name in names:
            fields.check_name(name, runs)
        flat = [{name: fields.value(run, name) for name in names} for run in runs]
    else:
        names = list(dict.fromkeys(name for row in flat for name in row))
        rest = sorted(name for name in names if name not in fields.FIELDS)
        names = [*fields.FIELDS, *rest]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(one_line, names))
    writer.writerows([_csv_cell(row.get(name)) for name in names] for row in flat)
    click.echo(text.getvalue(), nl=False)


def brief(run: Run) -> dict[str, Any]:
    """What the JSON of a list says of one run: the fields of filters, then flat parameters and metrics."""
    own = {name: list(run.tags) if name == "tag" else fields.value(run, name) for name in fields.FIELDS}
    return own | {"params": fields.params_of(run), "metrics": run.metrics}


def _flat(run: Run) -> dict[str, object]:
    own: dict[str, object] = {name: fields.value(run, name) for name in fields.FIELDS}
    params = {fields.PARAMS + name: value for name, value in fields.params_of(run).items()}
    return own | params | {fields.METRICS + name: value for name, value in run.metrics.items()}


def _csv_cell(value: object) -> str:
    return "" if value is None else one_line(str(value))
