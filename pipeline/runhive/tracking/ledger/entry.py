"""What one append writes: checked, because every byte in the ledger is there for ever."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import read_batch, without, write_batch
from runhive.tracking.ledger.kept import BATCH_NAME
from runhive.tracking.ledger.objects import bytes_of
from runhive.tracking.ledger.run import Event

SHA256 = re.compile(r"[0-9a-f]{64}")
FILE_BYTES = 5_000_000  # what is larger belongs in the DVC cache


def media_path(sha256: str) -> str:
    """Return where the picture of this digest lies in the ledger. Raises RunhiveError for what is no digest."""
    if not SHA256.fullmatch(sha256):
        raise RunhiveError(f"{sha256!r} is no name for a picture: use the SHA-256, in hex, of the image that it shows")
    return f"media/{sha256[:2]}/{sha256}.jpg"


def check_sizes(contents: Mapping[str, bytes]) -> None:
    """Raise RunhiveError for a file, named as in *contents*, that is over the cap."""
    for name, content in contents.items():
        if len(content) > FILE_BYTES:
            raise RunhiveError(
                f"{name} has {len(content)} bytes, the ledger takes {FILE_BYTES}: keep it as a DVC output instead"
            )


def read_events(folder: pygit2.Tree, path: str, but: Collection[str] = ()) -> list[Event]:
    """Read the events of the run's *folder*, which lies at *path*. Raises RunhiveError naming a malformed file.

    Events of the types in *but* are passed over, unless they are in a file of another form than is written.
    """
    found: list[Event] = []
    for entry in folder:
        name = str(entry.name)
        if BATCH_NAME.fullmatch(name):
            found += _parse(entry, f"{path}/{name}", but)
        elif name == "events" and isinstance(entry, pygit2.Tree):  # of the first ledgers
            found += (event for one in entry for event in _parse(one, f"{path}/events/{one.name}"))
    return found


def _parse(entry: pygit2.Object, path: str, but: Collection[str] = ()) -> list[Event]:
    found = bytes_of(entry) if isinstance(entry, pygit2.Blob) else b""
    try:
        return read_batch(without(found, but) if but else found)
    except RunhiveError as error:
        raise RunhiveError(f"{path!r} of the ledger: {error}") from error


def new_events(present: Sequence[Event], events: Sequence[Event], order: int = 0) -> Iterator[Event]:
    """Yield those of *events* that say something new, in order after those *present* and after *order*.

    An event that says what the last of its type says is dropped: recording the same inputs again adds nothing.
    Raises RunhiveError for an event that no reader could read.
    """
    last = {event.type: event.said() for event in sorted(present, key=Event.sort_key)}
    order = max([order, *(event.order for event in present)])
    for event in events:
        _check(event)
        if last.get(event.type) != event.said():
            last[event.type] = event.said()
            order += 1
            yield replace(event, order=order)


def _check(event: Event) -> None:
    try:
        content = write_batch([event])
        read_batch(content)
    except (ValueError, RunhiveError) as error:
        raise RunhiveError(f"event {event.type!r} cannot be recorded: {error}") from error
    if len(content) > FILE_BYTES:
        raise RunhiveError(f"event {event.type!r} has {len(content)} bytes, the ledger takes {FILE_BYTES}: shorten it")
