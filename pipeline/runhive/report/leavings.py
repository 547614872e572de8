"""What a run left for people to look at: the end of its log, and its pictures."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from runhive.report.side_file import write_side_file
from runhive.report.text import visible
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

LOG = "log.txt"
MOST_LINES = 200
LONGEST_LINE = 500
MOST_IMAGES = 48
PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg"}  # by their first bytes


@dataclass(frozen=True)
class Log:
    """The last *lines* of what is kept of it, the *first* line's number; `is_whole` where nothing comes before."""

    lines: tuple[str, ...]
    first: int
    is_whole: bool


@dataclass(frozen=True)
class Image:
    """A picture that the run kept, with the address of its copy in the site."""

    name: str
    address: str


@dataclass(frozen=True)
class Left:
    log: Log | None
    images: tuple[Image, ...]


def leavings(run: Run, ledger: Ledger, site: Path) -> Left:
    """Gather what *run* left; pictures are written below *site*."""
    filed = [(name, file) for name, file in sorted(run.files.items()) if name != LOG]
    images: list[Image] = []
    for name, file in filed:
        if len(images) < MOST_IMAGES and (address := _picture(ledger, run.run_id, file.get("ledger"), site)):
            images.append(Image(name, address))
    return Left(_log(ledger.file(run.run_id, LOG)), tuple(images))


def _log(content: bytes | None) -> Log | None:
    if not content:
        return None
    lines = content.decode(errors="replace").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    shown = tuple(visible(line.replace("\t", " "), LONGEST_LINE) for line in lines[-MOST_LINES:])
    return Log(shown, len(lines) - len(shown) + 1, len(lines) <= MOST_LINES)


def _picture(ledger: Ledger, run_id: str, name: str | None, site: Path) -> str | None:
    """Write the run's file *name* into the site if it begins as a picture; return its address from a run's page."""
    content = ledger.file(run_id, name) if name else None
    suffix = next((suffix for start, suffix in PICTURES.items() if content and content.startswith(start)), None)
    if content is None or suffix is None:
        return None
    digest = hashlib.sha256(content).hexdigest()
    path = site / "media" / digest[:2] / f"{digest}.{suffix}"
    write_side_file(path, content)
    return f"../media/{digest[:2]}/{path.name}"
