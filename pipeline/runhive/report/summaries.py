"""The summaries of all runs, of which only those are gathered anew whose run has changed."""

import warnings
from collections.abc import Iterator
from functools import partial

from runhive.errors import RunhiveError
from runhive.report.code_digest import code_digest
from runhive.report.keep import Keep, Made, key_of
from runhive.report.summary import FACTS, Facts, Summary, facts_of, with_run
from runhive.tracking.ledger.objects import MissingObject
from runhive.tracking.ledger.snapshot import Snapshot


def summaries_of(ledger: Snapshot, keep: Keep) -> list[Summary]:
    """The summaries, newest first. A run with a malformed event is left out, with a warning that names the file."""
    found = list(_readable(ledger, keep))
    found.sort(key=lambda facts: (facts.started_at, facts.run_id), reverse=True)
    return [with_run(facts, partial(ledger.run, facts.run_id)) for facts in found]


def _readable(ledger: Snapshot, keep: Keep) -> Iterator[Facts]:
    for run_id, state in ledger.states().items():
        try:
            yield _facts(run_id, state, ledger, keep)
        except MissingObject:
            raise
        except RunhiveError as error:
            warnings.warn(f"left out: {error}", stacklevel=3)


def _facts(run_id: str, state: str, ledger: Snapshot, keep: Keep) -> Facts:
    key = key_of("facts", code_digest(), run_id, state)
    kept = keep.value(key)
    if kept is not None:
        return FACTS.validate_python(kept)
    facts = facts_of(ledger.run(run_id), ledger.files(run_id))
    keep.put(key, Made(value=FACTS.dump_python(facts, mode="json")))
    return facts
