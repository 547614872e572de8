"""The rows of all runs, kept in the Git folder so that only what changed is read again.

A month's file holds the rows, by columns, with the ids of the Git trees that they were read from, so it is never out of
date. It may be deleted at any time, and one that is damaged or that other code wrote is made again.
"""

import gc
import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pygit2
from pydantic_core import from_json

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.columns import Column, Columns, columns_of, rows_of
from runhive.tracking.ledger.folders import months, read_run, runs_of
from runhive.tracking.ledger.objects import MissingObject, unhashed
from runhive.tracking.ledger.row import UNSHOWN, Row, row_of
from runhive.tracking.ledger.run import run_folder
from runhive.tracking.repository import common_folder

CODE = (
    "batch.py", "columns.py", "entry.py", "event_types.py", "finite.py", "folders.py", "index.py", "kept.py", "row.py",
    "run.py", "shapes.py", "version_shapes.py",
)  # fmt: skip  # what a row is a function of


@dataclass(frozen=True)
class Month:
    """The rows of one month, and in their order the runs, each with its folder's id.

    `tree` is None where some are left out.
    """

    tree: str | None = None
    folders: dict[str, str] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)

    def rows(self) -> list[Row]:
        return list(rows_of(self.columns, len(self.folders)))


def read_months(repository: pygit2.Repository, tree: pygit2.Tree | None) -> Iterator[Month]:
    """Yield the runs of each month in the ledger's *tree*, newest first.

    A run with a malformed event is left out, with a warning that names the file.
    """
    folder = common_folder(repository) / "runhive" / "index"
    for path, month in months(tree):
        file = folder / f"{path.removeprefix('runs/').replace('/', '-')}.json"
        known = _load(file)
        if known.tree != str(month.id):
            with _uncollected(), unhashed():
                known = _read(path, month, known)
            with suppress(RunhiveError):  # of a repository that cannot be written, nothing is kept
                write_atomic(file, _dump(known))
        yield known


def read_rows(repository: pygit2.Repository, tree: pygit2.Tree | None) -> list[Row]:
    """Return the rows of all runs in the ledger's *tree*, newest first, as `read_months` reads them."""
    rows = [row for month in read_months(repository, tree) for row in month.rows()]
    return sorted(rows, key=lambda row: (row["started_at"], row["run_id"]), reverse=True)


def forget_rows(repository: pygit2.Repository) -> None:
    """Delete what is kept, so that nothing of a purged run stays."""
    for file in (common_folder(repository) / "runhive" / "index").glob("*"):
        file.unlink(missing_ok=True)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare Python looking for cycles among rows, which have none, as it does again and again while they get more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(path: str, month: pygit2.Tree, known: Month) -> Month:
    before = dict(zip(known.folders, known.rows(), strict=True))
    tree: str | None = str(month.id)
    folders, rows = {}, []
    for run_path, folder in runs_of(path, month):
        run_id = run_path.rpartition("/")[2]
        try:
            same = known.folders.get(run_id) == str(folder.id) and run_path == run_folder(run_id)
            rows.append(before[run_id] if same else row_of(read_run(run_path, folder, UNSHOWN)))
            folders[run_id] = str(folder.id)
        except MissingObject:
            raise
        except RunhiveError as error:
            warnings.warn(f"left out: {error}", stacklevel=5)
            tree = None
    return Month(tree, folders, columns_of(rows))


def _dump(month: Month) -> bytes:
    """The file's bytes: the digest of the code and of the rest, then the columns as `Column` has them."""
    columns = {name: [column.values, column.places] for name, column in month.columns.items()}
    told = {"tree": month.tree, "folders": month.folders, "columns": columns}
    body = json.dumps(told, separators=(",", ":")).encode()
    return _seal(body).encode() + b"\n" + body


def _load(file: Path) -> Month:
    try:
        seal, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return Month()
    if seal != _seal(body).encode():
        return Month()
    content: dict[str, Any] = from_json(body)
    columns = {name: Column(*told) for name, told in content["columns"].items()}
    return Month(content["tree"], content["folders"], columns)


def _seal(body: bytes) -> str:
    return hashlib.sha256(_code() + body).hexdigest()


@cache
def _code() -> bytes:
    return b"".join(hashlib.sha256(source).digest() for source in _sources())


def _sources() -> Iterator[bytes]:
    return (Path(__file__).with_name(name).read_bytes() for name in CODE)
