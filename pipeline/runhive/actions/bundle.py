"""The bundle: what a job leaves of its runs, as a folder that the collector reads as a stranger's."""

import json
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from runhive.formats.document import Document, Record
from runhive.tracking.ledger.entry import FILE_BYTES
from runhive.tracking.ledger.schema import DIALECT
from runhive.tracking.ledger.shapes import Digest, RunId

BUNDLE = "bundle.json"
MODEL = "model/model.onnx"
ONNX = "models/model.onnx"  # where the pipeline has it
BUNDLE_BYTES = 2_000_000
MODEL_BYTES = 1_000_000_000
MOST_FILES = 5_000
LEDGER_BYTES = 200_000_000  # of all that goes into the ledger
# Of the working tree, by its path there.
WORKSPACE = {
    ONNX: MODEL,
    "models/model.json": "model/model.json",
    "dvc.lock": "dvc.lock",
    "params.yaml": "params.yaml",
    "results/metrics.json": "results/metrics.json",
    "results/evaluation.json": "results/evaluation.json",
    "results/parity.json": "results/parity.json",
}
IN_LEDGER = re.compile(
    r"(runs/[0-9/]{11}[0-9a-f-]{22}/((events|files)/)?[A-Za-z0-9][A-Za-z0-9._-]{0,199}|media/[0-9a-f]{2}/[0-9a-f]{64}\.jpg)"
)
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Repository = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9-]+/[A-Za-z0-9_.-]+)?$", max_length=200)]
BundledPath = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class BundledFile(Record):
    """A file of the bundle by its path in it, with forward slashes."""

    path: BundledPath
    bytes: int = Field(ge=0)
    sha256: Digest


class Bundle(Document):
    """What is in the folder, and which job made it.

    `runs` are the runs that the job made or changed; `run` is the one whose model it is, null where none was made.
    `repository`, `workflow_run` and `attempt` are GitHub's, empty or null for a bundle that was made by hand; the
    collector believes none of them. `files` are all files but `bundle.json` itself.
    """

    version: ClassVar[int] = 1

    repository: Repository
    commit: Commit | None
    workflow_run: int | None = Field(ge=1)
    attempt: int | None = Field(ge=1)
    run: RunId | None
    runs: list[RunId] = Field(max_length=100)
    files: list[BundledFile] = Field(max_length=MOST_FILES)


def most_bytes(path: str) -> int | None:
    """How many bytes a file at *path* may have; None where no bundle has such a path."""
    if path == MODEL:
        return MODEL_BYTES
    if path in WORKSPACE.values() or IN_LEDGER.fullmatch(path):
        return FILE_BYTES
    return None


def is_of_ledger(path: str) -> bool:
    """Whether the file is one of the ledger's tree."""
    return PurePosixPath(path).parts[0] in ("runs", "media")


def json_schema() -> str:
    """The schema of `bundle.json` as JSON."""
    content: dict[str, Any] = {"$schema": DIALECT, **Bundle.model_json_schema(), "title": "The bundle of a run"}
    content["properties"]["schema_version"] = {"const": Bundle.version}
    return json.dumps(content, indent=2) + "\n"
