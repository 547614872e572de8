"""What people say about a run after the fact: name, tags, notes, archive. Each change is an event, without secrets."""

import re
from collections.abc import Iterable

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.secrets import masked

LONGEST_NAME = 200
LONGEST_TAG = 100
LONGEST_NOTE = 20_000
TAG = re.compile(r"[^\s,\"'()+-][^\s,\"'()]*")  # one word of a filter expression


def tag(ledger: Ledger, run: Run, add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
    """Change the tags of *run* and return those it has then. Raises RunhiveError for what is no tag, or not there."""
    added, removed = dict.fromkeys(map(masked, add)), dict.fromkeys(remove)
    for one in added:
        if not TAG.fullmatch(one) or not one.isprintable() or len(one) > LONGEST_TAG:
            raise RunhiveError(
                f"{one_line(one)[:LONGEST_TAG]!r} is no tag: use one word of up to {LONGEST_TAG} characters "
                "without commas, quotes and parentheses"
            )
    if absent := [one for one in removed if one not in run.tags]:
        has = f"it has {', '.join(run.tags)}" if run.tags else "it has none"
        raise RunhiveError(f"run {run.run_id} has no tag {one_line(absent[0])!r}: {has}")
    new = [one for one in added if one not in run.tags]
    if new or removed:
        said = {name: words for name, words in (("add", new), ("remove", list(removed))) if words}
        ledger.append(run.run_id, [Event("tagged", said)])
    return tuple(sorted(set(run.tags).difference(removed).union(new)))


def note(ledger: Ledger, run: Run, text: str) -> None:
    """Replace the notes of *run*; empty text removes them. Raises RunhiveError for text that is too long."""
    if len(text) > LONGEST_NOTE:
        raise RunhiveError(f"the note has {len(text):,} characters, {LONGEST_NOTE:,} at most: shorten it")
    if (kept := masked(text)) != run.notes:
        ledger.append(run.run_id, [Event("noted", {"text": kept})])


def name(ledger: Ledger, run: Run, new_name: str) -> None:
    """Give *run* a display name; an empty one removes it. Raises RunhiveError for one that does not fit one line."""
    if len(new_name) > LONGEST_NAME or not new_name.isprintable():
        raise RunhiveError(f"a name is one line of up to {LONGEST_NAME} printable characters: choose another")
    if (kept := masked(new_name)) != run.name:
        ledger.append(run.run_id, [Event("named", {"name": kept})])


def archive(ledger: Ledger, run: Run, archived: bool) -> bool:
    """Leave *run* out of lists, or let it in again; say whether that changed anything."""
    if run.archived == archived:
        return False
    ledger.append(run.run_id, [Event("archived", {"archived": archived})])
    return True
