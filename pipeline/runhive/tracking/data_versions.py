"""The versions of the data that the ledger's runs were made from, and what changed from one to the next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, from_csv
from runhive.tracking.ledger.ledger import Ledger

MANIFEST = "manifest.csv"
DATA_REPORT = "data_report.json"
LOOK_BACK = 20  # versions that are searched for one of the same data set
SHA256 = re.compile(r"[0-9a-f]{64}")


class Made(Protocol):
    """What is asked of a run here; `kept` are the names of the files that the ledger keeps of it."""

    @property
    def run_id(self) -> str: ...
    @property
    def started_at(self) -> str: ...
    @property
    def data_digest(self) -> str | None: ...
    @property
    def kept(self) -> tuple[str, ...]: ...


AnyRun = TypeVar("AnyRun", bound=Made)


@dataclass(frozen=True)
class DataVersion(Generic[AnyRun]):
    """Data of one content digest and the runs on it, the oldest first."""

    digest: str
    runs: tuple[AnyRun, ...]


def data_versions(runs: Sequence[AnyRun]) -> list[DataVersion[AnyRun]]:
    """The versions in the order of their first use; a run without a digest has none."""
    found: dict[str, list[AnyRun]] = {}
    for run in sorted(runs, key=lambda run: (run.started_at, run.run_id)):
        if run.data_digest and SHA256.fullmatch(run.data_digest):
            found.setdefault(run.data_digest, []).append(run)
    return [DataVersion(digest, tuple(of_it)) for digest, of_it in found.items()]


def kept_file(ledger: Ledger, version: DataVersion[AnyRun], name: str) -> bytes | None:
    """The file *name* of the newest run on *version* that has one."""
    found = (ledger.file(run.run_id, name) for run in reversed(version.runs) if name in run.kept)
    return next((content for content in found if content is not None), None)


def kept_manifest(ledger: Ledger, version: DataVersion[AnyRun]) -> list[Image] | None:
    """The images of *version*; None where no run keeps its manifest, or it is damaged."""
    content = kept_file(ledger, version, MANIFEST)
    try:
        return from_csv(content, MANIFEST) if content is not None else None
    except RunhiveError:
        return None


def version_before(
    versions: Sequence[DataVersion[AnyRun]], images: Sequence[Image], ledger: Ledger
) -> tuple[DataVersion[AnyRun], list[Image]] | None:
    """The last of *versions* that shares an image with *images*: the same data set, earlier; and its images."""
    contents = {image.sha256 for image in images}
    for version in versions[: -LOOK_BACK - 1 : -1]:
        manifest = kept_manifest(ledger, version)
        if manifest and any(image.sha256 in contents for image in manifest):
            return version, manifest
    return None
