"""The summaries of all runs, and their rows in the table, of which only those are made anew whose run has changed."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from runhive.report.code_digest import code_digest
from runhive.report.keep import Keep, Made, key_of
from runhive.report.makers import Makers
from runhive.report.summary import FACTS, Summary, with_run
from runhive.tracking.ledger.snapshot import Snapshot


def summaries_of(ledger: Snapshot, keep: Keep, makers: Makers) -> Iterator[Summary]:
    """The summaries, newest first. A run with a malformed event is left out, with a warning that names the file.

    The cards that are missing are begun at once.
    """
    keys = {run_id: _key(run_id, state) for run_id, state in ledger.states().items()}
    missing = [run_id for run_id, key in keys.items() if key not in keep]
    return _summaries(keys, zip(missing, makers.cards(missing), strict=True), ledger, keep)


def _summaries(
    keys: Mapping[str, str], begun: Iterable[tuple[str, Made]], ledger: Snapshot, keep: Keep
) -> Iterator[Summary]:
    for run_id, made in begun:
        keep[keys[run_id]] = made
    found = list(_readable(keys, ledger, keep))
    yield from sorted(found, key=lambda one: (one.started_at, one.run_id), reverse=True)


def _readable(keys: Mapping[str, str], ledger: Snapshot, keep: Keep) -> Iterator[Summary]:
    for run_id, key in keys.items():
        card = keep[key].value
        if "left_out" in card:
            warnings.warn(f"left out: {card['left_out']}", stacklevel=3)
        else:
            yield with_run(FACTS.validate_python(card["facts"]), partial(ledger.run, run_id))


def table_rows(summaries: Sequence[Summary], states: Mapping[str, str], keep: Keep) -> Markup:
    """The rows of these runs in the table."""
    return Markup("".join(keep[_key(one.run_id, states[one.run_id])].value["row"] for one in summaries))


def _key(run_id: str, state: str) -> str:
    return key_of("card", code_digest(), run_id, state)
