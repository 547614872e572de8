"""The code of two runs compared: bytes as Git gives them in a pipe, safe and in colour on a terminal."""

import sys
from pathlib import Path

import click

from runhive.terminal.output import print_line, width
from runhive.tracking.code import caveats, diff
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

STYLES = {"+++": "bold", "---": "bold", "diff": "bold", "@@": "cyan", "+": "green", "-": "red"}


def print_difference(ledger: Ledger, root: Path, before: Run, after: Run, stat: bool) -> None:
    """Print the patch from the code of *before* to that of *after*; on stderr what it cannot show."""
    content = diff(ledger, root, before, after, stat)
    for run in (before, after):
        for line in caveats(ledger, run):
            click.echo(f"{run.run_id}: not in this diff: {line}", err=True)
    if not content:
        click.echo(f"{before.run_id} and {after.run_id} have the same code", err=True)
    elif width() is None:
        sys.stdout.buffer.write(content)
    else:
        for line in content.decode(errors="replace").splitlines():
            print_line(
                line.expandtabs(4), next((style for start, style in STYLES.items() if line.startswith(start)), "")
            )
