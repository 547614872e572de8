"""site/stamp.json: which state of the ledger the site shows."""

from typing import ClassVar

from runhive.formats.document import Document


class Stamp(Document):
    """The ledger's tip, None while it is empty, and the number of runs."""

    version: ClassVar[int] = 1

    ledger: str | None
    runs: int
