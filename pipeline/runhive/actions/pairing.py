"""Two runs of the ledger as the answer that a pull request gets, by what the ledger keeps of both."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runhive.actions.answer import markdown
from runhive.actions.compared import Compared, compare_answers
from runhive.actions.facts import Answer
from runhive.errors import RunhiveError
from runhive.tracking.comparison import BASES_OWN, compare_runs, find_baseline, is_of_base, kept_predictions
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run


def comparison_as_markdown(ledger: Ledger, runs: Sequence[Run]) -> str:
    """The answer on the second run with the first as its base. Raises RunhiveError for more than two."""
    if len(runs) != 2:
        raise RunhiveError(f"--markdown compares 2 runs, got {len(runs)}: name two")
    base, run = runs
    return markdown(_answer(ledger, base, run, "named to be compared"))


def word_of_the_job(ledger: Ledger, run_id: str | None, root: Path) -> str:
    """What a job that trained says of its run, against the base that the collector will take: nothing of it is checked.

    None stands for no run. What was collected of an earlier attempt says nothing of this one.
    """
    if run_id is None:
        return "### No run was made\n"
    run = replace(ledger.run(run_id), collected={})
    base, reason = (run, BASES_OWN) if is_of_base(run, root) else find_baseline(ledger, run, root)
    answer = _answer(ledger, base, run, reason) if base else Answer(run, None, why_not=reason)
    return f"{markdown(answer)}\nThis is the job's own word. The workflow `collect` scores the model again.\n"


def _answer(ledger: Ledger, base: Run, run: Run, reason: str) -> Answer:
    told = compare_runs(ledger, base, run)
    found = compare_answers(kept_predictions(ledger, base), kept_predictions(ledger, run)) if told.comparable else None
    why = told.reason if found is None else str(found)
    return Answer(run, base, reason, found if isinstance(found, Compared) else None, why)
