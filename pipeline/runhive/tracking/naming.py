"""The run that a person means: by its id, the start of it, `latest`, or a display name that one run alone has."""

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

LATEST = "latest"


def find(ledger: Ledger, word: str) -> Run:
    """Return the run that *word* names. Raises RunhiveError, with the nearest ids, where none or several are."""
    if word == LATEST:
        ids = [row["run_id"] for row in ledger.rows() if not row["archived"]]
        if not ids:
            raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
        return ledger.run(ids[0])
    try:
        return ledger.run(word)
    except RunhiveError as unknown:
        named = [row["run_id"] for row in ledger.rows() if word and row["name"] == word]
        if len(named) == 1:
            return ledger.run(named[0])
        if named:
            raise RunhiveError(
                f"{word!r} is the name of {len(named)} runs ({', '.join(named[:3])}, …): give an id"
            ) from None
        raise unknown
