"""The events of one append: one file of the ledger, as a JSON array with an event a line."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.finite import one_form, parse_finite
from runhive.tracking.ledger.kept import EVENTS, Kept
from runhive.tracking.ledger.run import Event, event_of

START, BETWEEN, END = b"[\n", b",\n", b"\n]\n"


def write_batch(events: Sequence[Event]) -> bytes:
    """Return the file's bytes. Raises ValueError for NaN and infinities."""
    return _array(event.to_json() for event in events)


def read_batch(content: bytes) -> list[Event]:
    """Parse a file's bytes. Raises RunhiveError where it is malformed or was written by a newer Runhive.

    The first ledgers have a file for each event: one object, without the array.
    """
    try:
        told = parse_finite(content)
    except ValueError as error:
        raise RunhiveError(f"not a well-formed event ({error})") from error
    return [event_of(one) for one in (told if isinstance(told, list) else [told])]


def without(content: bytes, types: Iterable[str]) -> bytes:
    """Return *content* less its events of these *types*, found by their lines; what is not in the one form stays."""
    if not (content.startswith(START + b"{") and content.endswith(END)):
        return content
    ends = _ends(tuple(types))
    return _array([line for line in content[len(START) : -len(END)].split(BETWEEN) if not line.endswith(ends)])


def is_in_one_form(content: bytes) -> bool:
    """Say whether well-formed *content* is as `write_batch` writes it, also of events with more than this one knows."""
    return _array(map(one_form, parse_finite(content))) == content


def batch_name(order: int, content: bytes) -> str:
    """Return the name of a file whose first event has this *order*."""
    return Kept(order, str(pygit2.hash(content)), EVENTS).path()


@cache
def _ends(types: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(f'"type":"{type}"}}'.encode() for type in types)


def _array(lines: Iterable[bytes]) -> bytes:
    return START + BETWEEN.join(lines) + END


def in_batches(events: Sequence[Event], most: int) -> Iterator[list[Event]]:
    """Yield *events* in batches whose files have *most* bytes; an event that has more by itself is alone."""
    batch: list[Event] = []
    size = 0
    for event in events:
        alone = len(write_batch([event]))
        if batch and size + alone > most:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += alone
    if batch:
        yield batch
