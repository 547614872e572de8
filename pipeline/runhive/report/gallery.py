"""Pictures of single answers, each thumbnail written into the site once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runhive.report.answers import Answer
from runhive.report.side_file import write_side_file
from runhive.tracking.ledger.ledger import Ledger

SHA256 = re.compile(r"[0-9a-f]{64}")
JPEG = b"\xff\xd8\xff"
MOST_PICTURES = 48


@dataclass(frozen=True)
class Picture:
    """`address` is the thumbnail's, relative to the run's page; None where the ledger has none."""

    answer: Answer
    address: str | None


@dataclass(frozen=True)
class Gallery:
    pictures: tuple[Picture, ...]
    total: int


def gallery(answers: Sequence[Answer], ledger: Ledger, site: Path) -> Gallery:
    """Take the first answers and write their thumbnails below *site*."""
    shown = answers[:MOST_PICTURES]
    return Gallery(tuple(Picture(answer, thumbnail(answer.sha256, ledger, site)) for answer in shown), len(answers))


def thumbnail(sha256: str, ledger: Ledger, site: Path) -> str | None:
    """Write the picture whose source has *sha256*, unless it is there, and return its address from a page in a folder.

    Only what begins as a JPEG is written.
    """
    if not SHA256.fullmatch(sha256):
        return None
    path = site / "media" / sha256[:2] / f"{sha256}.jpg"
    if not path.exists():
        content = ledger.media(sha256)
        if content is None or not content.startswith(JPEG):
            return None
        write_side_file(path, content)
    return f"../media/{sha256[:2]}/{sha256}.jpg"
