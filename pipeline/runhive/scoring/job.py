"""A job of predictions that may be killed at any point: what was done is kept in parts, and the same command goes on.

While it runs, FILE.parts/ holds `job.json`, which says what the job is, and parts `<first>-<end>-<errors>-<digest>`,
whose digest is of the names of all images up to their end. FILE appears whole, and then the folder goes.
"""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import atomic_writer, write_atomic
from runhive.mistakes import one_line
from runhive.scoring.images import Item
from runhive.scoring.rows import Row
from runhive.scoring.tables import Format, format_of
from runhive.tracking.ledger.lock import file_lock

ROWS = 2048  # of a part at most
SECONDS = 10.0  # until a part is written though it has fewer
PART = re.compile(r"(\d{12})-(\d{12})-(\d{12})-([0-9a-f]{16})")


@dataclass(frozen=True)
class Part:
    """Rows from `first` to before `end`, of which `errors` have no label."""

    path: Path
    first: int
    end: int
    errors: int
    digest: str


@dataclass
class Job:
    """Where rows go. `done` counts those that are safe, `errors` those of them that have no label."""

    out: Path
    columns: Mapping[str, type]
    format: Format
    folder: Path
    names: "hashlib._Hash"
    done: int = 0
    errors: int = 0


@contextmanager
def open_job(out: Path, columns: Mapping[str, type], what: Mapping[str, object]) -> Iterator[Job]:
    """Begin the job that *what* describes, or take it up where it was left.

    Raises RunhiveError where *out* is there already or another job is under way for it.
    """
    job = Job(out, columns, format_of(out), out.with_name(f"{out.name}.parts"), hashlib.sha256())
    if out.exists() and not job.folder.exists():
        raise RunhiveError(f"{one_line(str(out))} is there already: remove it, or name another file")
    shutil.rmtree(_finished(out), ignore_errors=True)
    with file_lock(job.folder / "lock", wait=0):
        _admit(job, {"columns": list(columns), **what})
        yield job


def _admit(job: Job, what: Mapping[str, object]) -> None:
    described = job.folder / "job.json"
    if described.exists() and json.loads(described.read_bytes()) != what:
        raise RunhiveError(
            f"{one_line(str(job.folder))} holds another job, of other images, options or another model: "
            "finish that one, remove the folder, or name another file"
        )
    write_atomic(described, json.dumps(what, indent=2).encode())


def remaining(job: Job, items: Iterator[Item]) -> Iterator[Item]:
    """Yield those of *items* that have no row yet. Raises RunhiveError where the ones that have are others now."""
    parts = _parts(job)
    for part in parts:
        for item in islice(items, part.end - part.first):
            job.names.update(_line(item.name))
        if job.names.hexdigest()[:16] != part.digest:
            raise RunhiveError(
                f"the images are not those that {one_line(str(job.folder))} was begun with: remove it to begin anew"
            )
        job.done, job.errors = part.end, job.errors + part.errors
    yield from items


def write_rows(job: Job, rows: Iterator[Row], after: Callable[[int], None]) -> None:
    """Write *rows* in parts, each whole or not at all, and the file of them; *after* is told how many there are."""
    waiting: list[Row] = []
    began = time.monotonic()
    for row in rows:
        waiting.append(row)
        after(job.done + len(waiting))
        if len(waiting) == ROWS or time.monotonic() - began > SECONDS:
            _write_part(job, waiting)
            waiting, began = [], time.monotonic()
    if waiting:
        _write_part(job, waiting)
    with atomic_writer(job.out) as file:
        job.format.join(job.columns, [part.path for part in _parts(job)], file)
    job.folder.rename(_finished(job.out))  # so that a kill leaves all parts or none
    shutil.rmtree(_finished(job.out))


def _write_part(job: Job, rows: Sequence[Row]) -> None:
    for row in rows:
        job.names.update(_line(str(row["path"])))
    errors, end = sum(row["error"] is not None for row in rows), job.done + len(rows)
    name = f"{job.done:012d}-{end:012d}-{errors:012d}-{job.names.hexdigest()[:16]}"
    write_atomic(job.folder / name, job.format.part(job.columns, rows))
    job.done, job.errors = end, job.errors + errors


def _parts(job: Job) -> list[Part]:
    """The parts that are whole, in their order."""
    found: list[Part] = []
    for path in sorted(job.folder.iterdir()):
        if match := PART.fullmatch(path.name):
            first, end, errors = map(int, match.groups()[:3])
            if first != (found[-1].end if found else 0):
                raise RunhiveError(f"a part before {one_line(str(path))} is gone: remove the folder to begin anew")
            found.append(Part(path, first, end, errors, match[4]))
    return found


def _finished(out: Path) -> Path:
    return out.with_name(f".{out.name}.finished")


def _line(name: str) -> bytes:
    return name.encode() + b"\0"
