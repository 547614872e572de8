"""Pictures of single answers, each thumbnail written into the site once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from runhive.report.answers import Answer
from runhive.report.side_file import write_side_file
from runhive.tracking.ledger.ledger import Ledger

SHA256 = re.compile(r"[0-9a-f]{64}")
JPEG = b"\xff\xd8\xff"
MOST_PICTURES = 200
SHOWN = 24  # the others are folded away


@dataclass(frozen=True)
class Picture:
    """`address` is the thumbnail's, relative to the run's page; None where the ledger has none."""

    answer: Answer
    address: str | None


@dataclass(frozen=True)
class Gallery:
    """The first of *total* answers."""

    pictures: tuple[Picture, ...]
    total: int

    @property
    def shown(self) -> int:
        """How many are not folded away."""
        return min(SHOWN, len(self.pictures))

    @cached_property
    def first_of_cell(self) -> dict[str, int]:
        """The place of the first picture of each cell of the confusion matrix."""
        return {picture.answer.cell: index for index, picture in reversed(list(enumerate(self.pictures)))}


def gallery(answers: Sequence[Answer], ledger: Ledger, site: Path) -> Gallery:
    """Take the first answers and write their thumbnails below *site*."""
    shown = answers[:MOST_PICTURES]
    return Gallery(tuple(Picture(answer, thumbnail(answer.sha256, ledger, site)) for answer in shown), len(answers))


def pictured(answers: Iterable[Answer], ledger: Ledger, site: Path, most: int) -> Gallery:
    """Take the first *most* answers that the ledger has a thumbnail of."""
    found = (Picture(answer, thumbnail(answer.sha256, ledger, site)) for answer in answers)
    shown = tuple(islice((picture for picture in found if picture.address), most))
    return Gallery(shown, len(shown))


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
