"""Small files that a run keeps among its events: what many runs share, or the events tell too, Git packs only once."""

from collections.abc import Iterable, Mapping

import pygit2

from runhive.tracking.ledger.kept import Kept
from runhive.tracking.ledger.run import Event, in_order

ENCLOSURE = "enclosed"
ENCLOSED = ("data_report.json", "dvc.lock", "packages.txt", "params.yaml")
MOST_BYTES = 200_000  # of each: all four, each byte escaped to six, fit one event


def enclose(files: Mapping[str, bytes]) -> list[Event]:
    """Return the event that holds those of *files* which are ENCLOSED, small and UTF-8; none where there are none."""
    texts = {name: _text(files[name]) for name in ENCLOSED if len(files.get(name, b"")) <= MOST_BYTES and name in files}
    found = {name: text for name, text in texts.items() if text is not None}
    return [Event(ENCLOSURE, {"files": found})] if found else []


def enclosed_files(events: Iterable[Event], kept: Mapping[str, Kept]) -> dict[str, bytes]:
    """Return what *events* enclose and is in force beside the files *kept*, by name; the last of each name counts."""
    return {
        name: text.encode()
        for event in in_order(event for event in events if event.type == ENCLOSURE)
        for name, text in event.data["files"].items()
        if name in ENCLOSED and (name not in kept or kept[name].order < event.order)
    }


def is_changed(name: str, content: bytes, enclosed: Mapping[str, bytes], kept: Mapping[str, Kept]) -> bool:
    """Say whether the file *name* of this *content* is not what is in force."""
    if name in enclosed:
        return enclosed[name] != content
    return name not in kept or kept[name].id != str(pygit2.hash(content))


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
