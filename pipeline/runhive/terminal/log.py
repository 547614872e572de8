"""The log of a run on the terminal."""

from pathlib import Path

import click

from runhive.errors import RunhiveError
from runhive.terminal.output import safe
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.life.log import follow, is_open, log_of


def print_log(ledger: Ledger, root: Path, run: Run) -> None:
    """Print what there is of the log. Raises RunhiveError where there is none."""
    text = log_of(ledger, root, run)
    if not text:
        raise RunhiveError(f"run {run.run_id} has no log: it printed nothing, or was made before logs were kept")
    _print(text)


def follow_log(ledger: Ledger, root: Path, run: Run) -> None:
    """Print the log as it grows until the run ends, then its state.

    Raises RunhiveError for a run that lives on another machine.
    """
    if run.state == "running" and not is_open(ledger, root, run.run_id):
        host = run.environment.get("host")
        raise RunhiveError(f"run {run.run_id} does not live on this machine (its host is {host}): follow it there")
    for piece in follow(ledger, root, run):
        _print(piece)
    click.echo(f"{run.run_id} {ledger.run(run.run_id).state}", err=True)


def _print(text: str) -> None:
    click.echo("\n".join(safe(line.expandtabs(8)) for line in text.split("\n")), nl=False)
