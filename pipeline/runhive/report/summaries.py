"""The summaries of all runs, and their rows in the table, of which only those are made anew whose run has changed."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from runhive.report.code_digest import code_digest
from runhive.report.keep import Keep, key_of
from runhive.report.makers import Makers
from runhive.report.summary import FACTS, Summary, with_run
from runhive.tracking.ledger.snapshot import Snapshot


def summaries_of(ledger: Snapshot, keep: Keep, makers: Makers) -> list[Summary]:
    """The summaries, newest first. A run with a malformed event is left out, with a warning that names the file."""
    keys = {key: run_id for run_id, state in ledger.states().items() if (key := _key(run_id, state)) not in keep}
    for key, made in zip(keys, makers.cards(list(keys.values())), strict=True):
        keep[key] = made
    found = list(_readable(ledger, keep))
    return sorted(found, key=lambda one: (one.started_at, one.run_id), reverse=True)


def _readable(ledger: Snapshot, keep: Keep) -> Iterator[Summary]:
    for run_id, state in ledger.states().items():
        card = keep[_key(run_id, state)].value
        if "left_out" in card:
            warnings.warn(f"left out: {card['left_out']}", stacklevel=3)
        else:
            yield with_run(FACTS.validate_python(card["facts"]), partial(ledger.run, run_id))


def table_rows(summaries: Sequence[Summary], states: Mapping[str, str], keep: Keep) -> Markup:
    """The rows of these runs in the table."""
    return Markup("".join(keep[_key(one.run_id, states[one.run_id])].value["row"] for one in summaries))


def _key(run_id: str, state: str) -> str:
    return key_of("card", code_digest(), run_id, state)
