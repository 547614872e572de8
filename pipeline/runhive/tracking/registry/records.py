"""What the ledger keeps of a version and of what is done with it: events of the run, which tags name by digest."""

import hashlib

from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.ledger.version_shapes import REASON
from runhive.tracking.secrets import masked

RECORDS = ("versioned", "promoted", "deprecated")


def digest_of(event: Event) -> str:
    """The SHA-256 of what *event* says, by which a tag names it."""
    return hashlib.sha256(event.said().encode()).hexdigest()


def find_record(run: Run, digest: str) -> Event | None:
    """The event of *run* that a tag names by its digest; None where the run has none such."""
    return next((event for event in run.events if event.type in RECORDS and digest_of(event) == digest), None)


def checked_reason(text: str) -> str:
    """Return *text* without secrets. Raises RunhiveError where it is too long to keep."""
    if len(text) > REASON:
        raise RunhiveError(f"the reason has {len(text):,} characters, {REASON:,} at most: shorten it")
    return masked(text)
