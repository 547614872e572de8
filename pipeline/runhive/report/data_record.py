"""What the ledger holds of a version of the data, read leniently: whatever is missing or odd is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from runhive.formats.manifest import Image
from runhive.report.record import Count, Data, Part, read_json, read_part
from runhive.report.summary import Summary
from runhive.tracking.data_versions import DATA_REPORT, MANIFEST, DataVersion, kept_file, kept_manifest
from runhive.tracking.ledger.ledger import Ledger

Amount = Annotated[float, Field(ge=0, le=1e15)]


class LeftOut(Part):
    path: str
    reason: str


class Duplicates(Part):
    kind: str
    images: list[str]
    splits: list[str]
    labels: list[str]


class Distribution(Part):
    smallest: Amount
    median: Amount
    largest: Amount
    edges: list[Amount]
    counts: dict[str, list[Count]]


class Report(Part):
    """The lists of data/report.json."""

    left_out: list[LeftOut] = Field(default_factory=list)
    duplicates: list[Duplicates] = Field(default_factory=list)
    sizes: dict[str, Distribution] = Field(default_factory=dict)


class Fetched(Part):
    """The facts of the event `fetched`."""

    source: str | None = None
    bytes: Count | None = None
    not_kept: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """All that is known of one version; `images` and `report` are None where no run keeps them."""

    data: Data
    fetched: Fetched
    images: list[Image] | None
    report: Report | None

    @property
    def why_unknown(self) -> str:
        """Why there is no list of images or no report."""
        if {MANIFEST, DATA_REPORT} & set(self.fetched.not_kept):
            return "it is too large for the ledger"
        return "no run on this data keeps a whole one"


def read_version(version: DataVersion[Summary], ledger: Ledger) -> Known:
    """Gather what the runs on *version* say, the newest first."""
    newest = version.runs[-1]
    report = kept_file(ledger, version, DATA_REPORT)
    return Known(
        data=read_part(Data, newest.run.data) or Data(),
        fetched=_fetched(version.runs),
        images=kept_manifest(ledger, version),
        report=read_json(Report, report) if report is not None else None,
    )


def _fetched(runs: Sequence[Summary]) -> Fetched:
    newest = next((one.run for one in reversed(runs) if one.has_fetched), None)
    events = [event for event in newest.events if event.type == "fetched"] if newest else []
    return (read_part(Fetched, events[-1].data) if events else None) or Fetched()
