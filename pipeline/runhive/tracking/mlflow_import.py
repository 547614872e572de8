"""Runs of an MLflow file store into the ledger. The ids follow from MLflow's, so importing again adds only news."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.life.intake import SCALAR_ROWS, SCALARS, scalar_table
from runhive.tracking.marks import LONGEST_NAME, LONGEST_NOTE, LONGEST_TAG
from runhive.tracking.mlruns import Point, StoredRun, read_store
from runhive.tracking.secrets import masked, masked_tree
from runhive.tracking.storage.artifacts import describe_file, keep_file
from runhive.tracking.storage.turns import filling

STATES = {"finished": "completed", "failed": "failed", "killed": "canceled", "running": "lost", "scheduled": "lost"}
CAUSES = {"failed": "failed, as MLflow says", "killed": "killed, as MLflow says"}
UNENDED = "MLflow's store holds no end of it"
NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
ONCE = ("noted", "archived")  # what people may have changed since the first import
LONGEST_PATH = 1000
LAUNCHER = "MLflow"


@dataclass
class Imported:
    """Run ids by what became of them."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)


def import_mlruns(ledger: Ledger, folder: Path, root: Path | None = None) -> Imported:
    """Add the runs of the file store at *folder* to the ledger, and what is new of those that are there.

    With *root*, the artifacts are copied into the DVC cache of the repository there; else they are only listed. A
    damaged run is left out with a warning that names it. Raises RunhiveError where *folder* is no such store.
    """
    stored = sorted(read_store(folder), key=lambda run: (run.started, run.run_id))
    ids = _ids(ledger, stored)
    done = Imported()
    for one in stored:
        run_id = ids[one.run_id]
        before = ledger.run(run_id) if ledger.has(run_id) else None
        points = one.metrics()
        with filling(root) if root else nullcontext():
            events = _events(one, ids, points, _files(one, root))
            news = [event for event in events if before is None or _is_news(event, before)]
            added = ledger.append(run_id, news, {SCALARS: _scalars(one, points)} if points else {})
        (done.same if not added else done.changed if before else done.new).append(run_id)
    return done


def _ids(ledger: Ledger, stored: Sequence[StoredRun]) -> dict[str, str]:
    """The ledger's run id for each of MLflow's; another one where a run of another origin has it."""
    found: dict[str, str] = {}
    for one in stored:
        salt = 0
        while (run_id := _id(one, salt)) in found.values() or not _is_free(ledger, run_id, one.run_id):
            salt += 1
        found[one.run_id] = run_id
    return found


def _id(one: StoredRun, salt: int) -> str:
    digest = hashlib.sha256(f"{one.run_id}{salt or ''}".encode()).hexdigest()
    return f"{one.started:%Y%m%d-%H%M%S}-{digest[:6]}"


def _is_free(ledger: Ledger, run_id: str, mlflow_id: str) -> bool:
    return not ledger.has(run_id) or ledger.run(run_id).launcher.get("run_id") == mlflow_id


def _is_news(event: Event, before: Run) -> bool:
    return event.type not in ONCE or all(known.type != event.type for known in before.events)


def _events(
    one: StoredRun, ids: Mapping[str, str], points: Mapping[str, list[Point]], files: dict[str, Any]
) -> Iterator[Event]:
    ended = _iso(one.ended) if one.ended else _last_time(one, points)
    yield Event("started", masked_tree(_started(one, ids)), time=_iso(one.started))
    last = {key: values[-1].value for key, values in points.items() if values}
    metrics = {_key(key): value for key, value in last.items() if isfinite(value)}
    if metrics:
        yield Event("logged", {"metrics": metrics}, time=ended)
    if files:
        yield Event("filed", {"files": files}, time=ended)
    if text := one.tags.get("mlflow.note.content"):
        yield Event("noted", {"text": masked(text[:LONGEST_NOTE])}, time=ended)
    finished = {"state": STATES[one.status], "attempt": 1}
    cause = None if one.status == "finished" else CAUSES.get(one.status, UNENDED)
    yield Event("finished", finished | ({"cause": cause} if cause else {}), time=ended)
    if one.deleted:
        yield Event("archived", {"archived": True}, time=ended)


def _started(one: StoredRun, ids: Mapping[str, str]) -> dict[str, Any]:
    code = {"commit": one.tags.get("mlflow.source.git.commit"), "branch": one.tags.get("mlflow.source.git.branch")}
    launcher = {
        "command": LAUNCHER,
        "run_id": one.run_id,
        "user": one.user,
        "source": one.tags.get("mlflow.source.name"),
    }
    return {
        "experiment": one_line(one.experiment),
        "name": one_line(one.name)[:LONGEST_NAME],
        "tags": sorted(_tag(key, value) for key, value in one.tags.items() if not key.startswith("mlflow.")),
        "parent": ids.get(one.tags.get("mlflow.parentRunId", "")),
        "params": {_key(key): _value(text) for key, text in one.params.items()},
        "code": {key: value for key, value in code.items() if value},
        "launcher": {key: value for key, value in launcher.items() if value},
    }


def _tag(key: str, value: str) -> str:
    """MLflow's tags have values: `key=value`, or the key alone where the value is empty."""
    return one_line(f"{key}={value}" if value else key)[:LONGEST_TAG]


def _key(key: str) -> str:
    """`val/accuracy` as `val.accuracy`, as the names of metrics and parameters are here."""
    return one_line(key).replace("/", ".")


def _value(text: str) -> object:
    """MLflow keeps parameters as text; what reads as a number or as true, false or none becomes that."""
    constants = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in constants:
        return constants[text.lower()]
    if not NUMBER.fullmatch(text):
        return text
    with suppress(ValueError):  # more than 4,300 digits
        return int(text)
    return number if isfinite(number := float(text)) else text


def _files(one: StoredRun, root: Path | None) -> dict[str, Any]:
    """What is said of the artifacts, which stay where they are unless the cache at *root* shall hold them."""
    paths = {path: file for path, file in one.artifacts().items() if len(path) <= LONGEST_PATH and path.isprintable()}
    if root:
        return {path: keep_file(root, file) for path, file in paths.items()}
    return {path: describe_file(file) | {"kept": False} for path, file in paths.items()}


def _scalars(one: StoredRun, points: Mapping[str, list[Point]]) -> bytes:
    """The metrics by step, in the form in which the ledger keeps logged numbers; of very many, evenly spaced ones."""
    began = one.started.timestamp()
    logged = sorted((point.time, point.step, key, point.value) for key, values in points.items() for point in values)
    return scalar_table(
        {"step": step, "seconds": round(time / 1000 - began, 3), "values": {_key(key): value}}
        for time, step, key, value in logged[:: max(1, ceil(len(logged) / SCALAR_ROWS))]
    )


def _last_time(one: StoredRun, points: Mapping[str, list[Point]]) -> str:
    times = [point.time for values in points.values() for point in values]
    return _iso(datetime.fromtimestamp(max(times) / 1000, UTC)) if times else _iso(one.started)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
