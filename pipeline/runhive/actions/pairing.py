"""Two runs of the ledger as the answer that a pull request gets, by what the ledger keeps of both."""

from collections.abc import Sequence

from runhive.actions.answer import markdown
from runhive.actions.compared import Compared, compare_answers
from runhive.actions.facts import Answer
from runhive.errors import RunhiveError
from runhive.tracking.comparison import compare_runs, kept_predictions
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run


def comparison_as_markdown(ledger: Ledger, runs: Sequence[Run]) -> str:
    """The answer on the second run with the first as its base. Raises RunhiveError for more than two."""
    if len(runs) != 2:
        raise RunhiveError(f"--markdown compares 2 runs, got {len(runs)}: name two")
    base, run = runs
    told = compare_runs(ledger, base, run)
    found = compare_answers(kept_predictions(ledger, base), kept_predictions(ledger, run)) if told.comparable else None
    why = told.reason if found is None else str(found)
    return markdown(Answer(run, base, "named to be compared", found if isinstance(found, Compared) else None, why))
