"""Files that a run keeps among its events: Git packs what they share with these, as hashes, only once."""

from collections.abc import Iterable, Mapping

from runhive.tracking.ledger.run import Event

ENCLOSURE = "enclosed"
ENCLOSED = frozenset({"dvc.lock"})


def enclose(files: Mapping[str, bytes]) -> list[Event]:
    """Return the events that hold those of *files* which are ENCLOSED and UTF-8."""
    texts = {name: _text(files[name]) for name in sorted(ENCLOSED & files.keys())}
    return [Event(ENCLOSURE, {"name": name, "text": text}) for name, text in texts.items() if text is not None]


def enclosed_files(events: Iterable[Event]) -> dict[str, tuple[int, bytes]]:
    """Return the order and the content of each file that *events*, in their order, enclose; the last of each name."""
    return {event.data["name"]: (event.order, event.data["text"].encode()) for event in events if event.type == ENCLOSURE}


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
