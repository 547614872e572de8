"""data/report.json: what fetch found, per split and class, what it left out and why, what is there twice."""

from typing import ClassVar, Literal

from runhive.formats.document import Document, Record


class LeftOut(Record):
    """A file that did not become an image of the data set."""

    path: str
    reason: str


class Duplicates(Record):
    """Images that show the same, by their paths in the images folder; `splits` and `labels` are those they lie in.

    `kind` says how they are the same: all `bytes`, all `pixels`, or `near`, the same picture saved in another way.
    """

    kind: Literal["bytes", "pixels", "near"]
    images: list[str]
    splits: list[str]
    labels: list[str]


class Distribution(Record):
    """How a quantity is spread: `counts` are images per split and bin.

    Bin 0 holds what is below the first of `edges`, bin i what is at least edge i-1 and below edge i, and the last
    bin the rest.
    """

    smallest: float
    median: float
    largest: float
    edges: list[float]
    counts: dict[str, list[int]]


class DataReport(Document):
    """Counts are images per split and class; `digest` is the content digest of the whole manifest.

    `sizes` are of the quantities `shorter_side` (pixels), `aspect_ratio` (width by height) and `file_bytes`.
    """

    version: ClassVar[int] = 2

    source: str
    digest: str
    classes: list[str]
    counts: dict[str, dict[str, int]]
    left_out: list[LeftOut]
    bytes: int
    duplicates: list[Duplicates]
    sizes: dict[str, Distribution]
