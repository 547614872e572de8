"""data/report.json: what fetch found, per split and class, and what it left out and why."""

from typing import ClassVar

from runhive.formats.document import Document, Record


class LeftOut(Record):
    """A file that did not become an image of the data set."""

    path: str
    reason: str


class DataReport(Document):
    """Counts are images per split and class; `digest` is the content digest of the whole manifest."""

    version: ClassVar[int] = 1

    source: str
    digest: str
    classes: list[str]
    counts: dict[str, dict[str, int]]
    left_out: list[LeftOut]
    bytes: int
