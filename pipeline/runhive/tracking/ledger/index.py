"""The rows of all runs, kept in the Git folder so that only what changed is read again.

A month's file holds the rows by the ids of the Git trees that they were read from, so it is never out of date. It
may be deleted at any time, and one that is damaged or that other code wrote is made again.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pygit2
from pydantic_core import from_json

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.folders import months, read_run, runs_of
from runhive.tracking.ledger.objects import MissingObject
from runhive.tracking.ledger.row import UNSHOWN, Row, row_of
from runhive.tracking.repository import common_folder

CODE = (
    "batch.py", "entry.py", "event_types.py", "finite.py", "folders.py", "index.py", "kept.py", "row.py", "run.py",
    "shapes.py", "version_shapes.py",
)  # fmt: skip  # what a row is a function of


@dataclass
class Month:
    """The rows of one month by run id, each with the id of its run's folder; `tree` is None where some are left out."""

    tree: str | None = None
    rows: dict[str, tuple[str, Row]] = field(default_factory=dict)


def read_rows(repository: pygit2.Repository, tree: pygit2.Tree | None) -> list[Row]:
    """Return the rows of all runs in the ledger's *tree*, newest first.

    A run with a malformed event is left out, with a warning that names the file.
    """
    rows: list[Row] = []
    folder = common_folder(repository) / "runhive" / "index"
    for path, month in months(tree):
        file = folder / f"{path.removeprefix('runs/').replace('/', '-')}.json"
        known = _load(file)
        if known.tree != str(month.id):
            known = _read(path, month, known)
            with suppress(RunhiveError):  # of a repository that cannot be written, nothing is kept
                write_atomic(file, _dump(known))
        rows += (row for _, row in known.rows.values())
    return sorted(rows, key=lambda row: (row["started_at"], row["run_id"]), reverse=True)


def forget_rows(repository: pygit2.Repository) -> None:
    """Delete what is kept, so that nothing of a purged run stays."""
    for file in (common_folder(repository) / "runhive" / "index").glob("*"):
        file.unlink(missing_ok=True)


def _read(path: str, month: pygit2.Tree, known: Month) -> Month:
    found = Month(str(month.id))
    for run_path, folder in runs_of(path, month):
        run_id = run_path.rpartition("/")[2]
        if known.rows.get(run_id, ("",))[0] == str(folder.id):
            found.rows[run_id] = known.rows[run_id]
            continue
        try:
            found.rows[run_id] = str(folder.id), row_of(read_run(run_path, folder, UNSHOWN))
        except MissingObject:
            raise
        except RunhiveError as error:
            warnings.warn(f"left out: {error}", stacklevel=4)
            found.tree = None
    return found


def _dump(month: Month) -> bytes:
    """The file's bytes: the digest of the code and of the rest, then the names of each shape of row, then the rows."""
    shapes: dict[tuple[str, ...], int] = {}
    rows = [
        [run_id, tree, shapes.setdefault(tuple(row), len(shapes)), list(row.values())]
        for run_id, (tree, row) in month.rows.items()
    ]
    body = json.dumps({"tree": month.tree, "shapes": list(shapes), "rows": rows}, separators=(",", ":")).encode()
    return _seal(body).encode() + b"\n" + body


def _load(file: Path) -> Month:
    try:
        seal, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return Month()
    if seal != _seal(body).encode():
        return Month()
    content: dict[str, Any] = from_json(body)
    shapes = content["shapes"]
    rows = {
        run_id: (tree, dict(zip(shapes[shape], values, strict=True))) for run_id, tree, shape, values in content["rows"]
    }
    return Month(content["tree"], rows)


def _seal(body: bytes) -> str:
    return hashlib.sha256(_code() + body).hexdigest()


@cache
def _code() -> bytes:
    return b"".join(hashlib.sha256(source).digest() for source in _sources())


def _sources() -> Iterator[bytes]:
    return (Path(__file__).with_name(name).read_bytes() for name in CODE)
