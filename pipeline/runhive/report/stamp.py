"""site/stamp.json: which state of the ledger the site shows."""

from typing import ClassVar

from runhive.formats.document import Document


class Stamp(Document):
    """The ledger's tip, None while it is empty, the number of runs, and the version of Runhive that made the site."""

    version: ClassVar[int] = 2

    ledger: str | None
    runs: int
    runhive: str
