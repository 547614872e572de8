"""How long each stage took in this workspace, kept beside the digest of what it made."""

from pathlib import Path
from time import monotonic
from typing import ClassVar

from runhive.files import sha256_of
from runhive.formats.document import Document
from runhive.stages import paths
from runhive.tracking.ledger.run import Event, utc_now

PRODUCTS = {
    "fetch": paths.DATA_REPORT,
    "train": paths.TRAIN_RECORD,
    "evaluate": paths.EVALUATION,
    "export": paths.PARITY,
}


class Phase(Document):
    """One execution of a stage; `product_sha256` is of the file that PRODUCTS names."""

    version: ClassVar[int] = 1

    stage: str
    started_at: str
    seconds: float
    product_sha256: str


class Timer:
    """Started with the process, before its imports, so that they count."""

    def __init__(self) -> None:
        self.started_at, self._began = utc_now(), monotonic()

    def event(self, type: str) -> Event:
        """Return the event of the phase that ends now."""
        return Event(type, {}, seconds=self._seconds(), began=self.started_at)

    def write(self, stage: str) -> None:
        """Note that *stage* is done, if its time is kept; a machine that helps another to train makes nothing."""
        if stage in PRODUCTS and PRODUCTS[stage].exists():
            product = sha256_of(PRODUCTS[stage])
            phase = Phase(stage=stage, started_at=self.started_at, seconds=self._seconds(), product_sha256=product)
            phase.write(_file(stage))

    def _seconds(self) -> float:
        return round(monotonic() - self._began, 3)


def read_phase(stage: str) -> Phase | None:
    """The execution that made the product that lies here; None where it came from the cache."""
    if not _file(stage).exists():
        return None
    phase = Phase.read(_file(stage))
    return phase if phase.product_sha256 == sha256_of(PRODUCTS[stage]) else None


def _file(stage: str) -> Path:
    return paths.STATE / "phases" / f"{stage}.json"
