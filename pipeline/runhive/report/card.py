"""The card of a run: its facts and its row in the table of runs."""

from functools import partial

from runhive.errors import RunhiveError
from runhive.report.keep import Made
from runhive.report.summary import FACTS, facts_of, with_run
from runhive.report.templates import render
from runhive.tracking.ledger.objects import MissingObject
from runhive.tracking.ledger.snapshot import Snapshot


def make_card(run_id: str, ledger: Snapshot) -> Made:
    """The facts and the row, or of a run with a malformed event, why it is left out. Raises MissingObject."""
    try:
        facts = facts_of(ledger.run(run_id), ledger.files(run_id))
    except MissingObject:
        raise
    except RunhiveError as error:
        return Made(value={"left_out": str(error)})
    row = render("runs_row.html", summary=with_run(facts, partial(ledger.run, run_id)))
    return Made(value={"facts": FACTS.dump_python(facts, mode="json"), "row": str(row)})
