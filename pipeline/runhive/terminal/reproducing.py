"""What came of running a run again."""

import click

from runhive.report.score import shown
from runhive.report.text import plain
from runhive.terminal.columns import NOTHING
from runhive.terminal.output import print_json, print_line, print_section
from runhive.tracking.code import caveats
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.reproduction import Verdict

HEADLINES = {
    "bit for bit": "reproduced bit for bit: the same weights, the same metrics",
    "within tolerance": "reproduced within tolerance",
    "not": "not reproduced",
}


def print_caveats(ledger: Ledger, run: Run) -> None:
    """Say on stderr what of the run's code cannot be brought back."""
    for line in caveats(ledger, run):
        click.echo(f"{run.run_id}: not brought back: {line}", err=True)


def print_verdict(run: Run, found: Verdict, as_json: bool) -> None:
    """Print the verdict, then what differs and what may explain it."""
    if as_json:
        print_json({"run_id": run.run_id, **vars(found), "again": found.again.run_id})
        return
    if found.verdict is None:
        print_line(f"{run.run_id}: made again as {found.again.run_id}, which is {found.again.state}", "bold")
        print_line(f"no verdict: the first is {run.state} and has no results to compare with")
    else:
        print_line(f"{run.run_id}: {HEADLINES[found.verdict]}", "bold")
        print_line(f"the second run is {found.again.run_id}; {'the same' if found.same_weights else 'other'} weights")
    rows = [
        (name, *(NOTHING if one is None else shown(name, one) for one in pair))
        for name, pair in found.differences.items()
    ]
    print_section("Metrics that differ: the first run's, the second's", rows)
    around = [(name, *(plain(one) for one in pair)) for name, pair in found.surroundings.items()]
    print_section("What was not alike", around)
