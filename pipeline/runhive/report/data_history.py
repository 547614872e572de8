"""site/data/versions.json: the versions of the data and what changed between them, for other programs."""

from typing import ClassVar

from runhive.formats.data_changes import DataChanges
from runhive.formats.document import Document, Record


class Version(Record):
    """Data of one content digest. `images` is None where the ledger keeps no manifest of it.

    `previous` is the digest of the last version before it that shares an image with it, and `changes` are against it.
    """

    digest: str
    first_used: str
    last_used: str
    runs: list[str]
    images: int | None
    previous: str | None
    changes: DataChanges | None


class DataHistory(Document):
    """The versions in the order of their first use."""

    version: ClassVar[int] = 1

    versions: list[Version]
