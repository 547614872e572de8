"""What params.yaml says of the data, and fetch, with as few words as a test needs."""

from typing import Any

from runhive.formats.data_report import DataReport
from runhive.params import Data
from runhive.stages import fetch as stage

NOTHING_ELSE = {
    "path": None,
    "rev": None,
    "sha256": None,
    "max_bytes": 10**9,
    "allow_http": False,
    "split": None,
    "evaluation_sets": {},
    "on_bad": "error",
}


def data_section(source: str, url: str | None, **keys: Any) -> Data:
    """The section `data` of params.yaml."""
    return Data.model_validate({**NOTHING_ELSE, "source": source, "url": url, **keys})


def fetch(source: str, url: str | None, on_bad: str = "error", **keys: Any) -> DataReport:
    """Run the stage on such a section."""
    return stage.fetch(data_section(source, url, on_bad=on_bad, **keys))
