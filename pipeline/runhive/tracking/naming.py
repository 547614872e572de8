"""The run that a person means: by its id, the start of it, `latest`, or a display name that one run alone has."""

from runhive.errors import RunhiveError
from runhive.tracking.ledger import Ledger
from runhive.tracking.run import Run

LATEST = "latest"


def find(ledger: Ledger, word: str) -> Run:
    """Return the run that *word* names. Raises RunhiveError, with the nearest ids, where none or several are."""
    if word == LATEST:
        runs = [run for run in ledger.runs() if not run.archived]
        if not runs:
            raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
        return runs[0]
    try:
        return ledger.run(word)
    except RunhiveError as unknown:
        named = [run for run in ledger.runs() if word and run.name == word]
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(run.run_id for run in named[:3])
            raise RunhiveError(f"{word!r} is the name of {len(named)} runs ({ids}, …): give an id") from None
        raise unknown
