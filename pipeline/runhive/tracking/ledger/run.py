"""A run: its events, never changed, and the record that they fold into."""

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from runhive.errors import RunhiveError
from runhive.tracking.ledger.event_types import check_data, check_envelope
from runhive.tracking.ledger.finite import one_form, parse_finite

SCHEMA_VERSION = 2  # the newest that is read
VERSIONS = {"enclosed": 2}  # of an event by its type, 1 for others: who passes these over misses files
RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


def new_run_id(now: datetime | None = None) -> str:
    """Return an id that sorts by its start in UTC; 24 random bits keep two starts of one second apart."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def run_folder(run_id: str) -> str:
    """Return the run's folder in the ledger's tree. Raises RunhiveError for anything but a run id."""
    if not RUN_ID.fullmatch(run_id):
        raise RunhiveError(f"{run_id!r} is not a run id such as 20261123-142233-7f3a9c: see `runhive runs list`")
    return f"runs/{run_id[:4]}/{run_id[4:6]}/{run_id[6:8]}/{run_id}"


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a run.

    `order` is a Lamport clock: one more than the highest that the writer had seen in the run's folder.
    `data` decides what the event says; `began` and `seconds`, when it began and what it took, do not.
    """

    type: str
    data: dict[str, Any]
    time: str = field(default_factory=utc_now)
    seconds: float | None = None
    order: int = 0
    began: str | None = None

    def to_json(self) -> bytes:
        """The event in one line, its keys sorted. Raises ValueError for NaN and infinities."""
        return one_form({"schema_version": VERSIONS.get(self.type, 1), **vars(self)})

    @classmethod
    def from_json(cls, content: bytes) -> "Event":
        """Parse what `to_json` wrote. Raises RunhiveError where it is malformed or a newer Runhive wrote it."""
        try:
            return event_of(parse_finite(content))
        except ValueError as error:
            raise RunhiveError(f"not a well-formed event ({error})") from error

    def said(self) -> str:
        """Return what the event says, in one form whatever the order of keys. Raises ValueError as `to_json`."""
        return json.dumps([self.type, self.data], sort_keys=True, allow_nan=False)

    def sort_key(self) -> tuple[int, str, str, float, str]:
        """Return what puts a run's events in the one order in which they are folded."""
        return self.order, self.time, self.said(), -1.0 if self.seconds is None else self.seconds, self.began or ""


def event_of(told: object) -> Event:
    """Return the event that JSON *told* of. Raises RunhiveError as `Event.from_json`."""
    try:
        outside = check_envelope(told)
        if outside.schema_version > SCHEMA_VERSION:
            raise RunhiveError("written by a newer Runhive: upgrade it")
        check_data(outside.type, outside.data)
    except ValueError as error:
        raise RunhiveError(f"not a well-formed event ({error})") from error
    return Event(outside.type, outside.data, outside.time, outside.seconds, outside.order, outside.began)


@dataclass(frozen=True)
class Run:
    """What is known of one run. `metrics` is flat, `split.name` to number; the last evaluation is in force.

    `phases` holds seconds and `began` the start, both by phase: queued, preparing and the stages, or `run` for a
    command of one's own. No two overlap: train begins where preparing ends. `files` holds, by path, what the `filed`
    events say of each.
    """

    run_id: str
    state: str
    attempt: int
    started_at: str
    ended_at: str | None = None
    cause: str | None = None
    traceback: str | None = None
    heartbeat: str | None = None
    exit_code: int | None = None
    experiment: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    archived: bool = False
    parent: str | None = None
    input_digest: str = ""
    requirements_digest: str | None = None
    outcome_digest: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    code: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    launcher: dict[str, Any] = field(default_factory=dict)
    nodes: int = 1
    command: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    comparison: dict[str, Any] = field(default_factory=dict)
    reproduction: dict[str, Any] = field(default_factory=dict)
    collected: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    began: dict[str, str] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()

    @property
    def is_claim(self) -> bool:
        """Whether its scores are a job's word alone: they are on images on which the collector could not check them."""
        scored = self.evaluation.get("evaluation_set")
        digest = scored.get("digest") if isinstance(scored, dict) else None
        checked = self.collected.get("checked")
        return digest is not None and checked is not None and digest not in checked


def fold(run_id: str, events: Iterable[Event]) -> Run:
    """Fold *events*, given in any order, into the run's record: the same events give the same record."""
    ordered = tuple(in_order(events))
    known: Known = {"state": "running", "attempt": 1, "started_at": ordered[0].time}
    for event in ordered:
        known |= _changes(known, event) | _span(known, event)
    known |= _train_alone(known, ordered)
    return Run(run_id=run_id, events=ordered, **known)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Sort *events* by their sort key, each once; where no two have the same order, at the price of sorting numbers."""
    listed = list(events)
    if len({event.order for event in listed}) == len(listed):
        return sorted(listed, key=lambda event: event.order)
    return [event for _, event in sorted({event.sort_key(): event for event in listed}.items(), key=itemgetter(0))]


Known = dict[str, Any]


def _changes(known: Known, event: Event) -> Known:
    """The fields of the run that *event* changes."""
    data = event.data
    match event.type:
        case "started":
            described = {key: data[key] for key in DESCRIPTION if key in data}
            own = {"name": data.get("name", ""), "tags": tuple(sorted(set(data.get("tags", ()))))}
            changed = {key: known.get(key, value) for key, value in own.items()}
            return {"started_at": event.time, "command": tuple(data.get("command", ())), **described, **changed}
        case "configured":
            experiment = data.get("experiment") or known.get("experiment", "")
            return {"experiment": experiment, "params": known.get("params", {}) | data.get("params", {})}
        case "resumed":
            return {"state": "running", "attempt": data["attempt"], "ended_at": None, **dict.fromkeys(ENDING)}
        case "finished":
            ending = {key: data.get(key) for key in ENDING} | {"outcome_digest": data.get("outcome_digest", "")}
            return {"state": data["state"], "ended_at": event.time, **ending}
        case "trained":
            return {"training": data}
        case "evaluated":
            collected = {key: one for key, one in known.get("collected", {}).items() if key not in OF_SCORES}
            metrics = known.get("metrics", {}) | data["metrics"]
            return {"evaluation": data["evaluation"], "metrics": metrics, "collected": collected}
        case "exported":
            others = {name: value for name, value in known.get("metrics", {}).items() if not name.startswith("export.")}
            return {"parity": data["parity"], "metrics": others | data["metrics"]}
        case "logged":
            return {"metrics": known.get("metrics", {}) | data["metrics"]}
        case "compared":
            return {"comparison": data}
        case "filed":
            files = {**known.get("files", {}), **data["files"]}
            return {"files": {path: file for path, file in files.items() if path not in data.get("gone", ())}}
        case "used":
            return {"used": _add_up(known.get("used", {}), data)}
        case "named":
            return {"name": data["name"]}
        case "tagged":
            tags = set(known.get("tags", ())).difference(data.get("remove", ())).union(data.get("add", ()))
            return {"tags": tuple(sorted(tags))}
        case "noted":
            return {"notes": data["text"]}
        case "archived":
            return {"archived": data["archived"]}
        case "reproduced":
            return {"reproduction": data}
        case "collected":
            return {"collected": data}
    return {}


DESCRIPTION = (
    "experiment", "parent", "input_digest", "requirements_digest", "params", "code", "data", "environment",
    "launcher", "nodes",
)  # fmt: skip
OF_SCORES = ("checked", "metrics", "verdict")  # of what the collector says: of those before it alone
ENDING = ("cause", "traceback", "heartbeat", "exit_code")
PHASES = {
    "queued": "queued",
    "prepared": "preparing",
    "fetched": "fetch",
    "trained": "train",
    "evaluated": "evaluate",
    "exported": "export",
    "recorded": "record",
    "ran": "run",
}


def _span(known: Known, event: Event) -> Known:
    """When the phase that *event* ends began, and what it took."""
    phase = PHASES.get(event.type)
    if phase is None or event.seconds is None:
        return {}
    began = known.get("began", {})
    return {
        "phases": {**known.get("phases", {}), phase: event.seconds},
        "began": {**began, phase: event.began} if event.began else began,
    }


def _train_alone(known: Known, events: Sequence[Event]) -> Known:
    """What is left of train without the preparing that its process began with."""
    ready = next((event.time for event in reversed(events) if event.type == "prepared"), None)
    seconds, began = (known.get(span, {}).get("train") for span in ("phases", "began"))
    if ready is None or seconds is None or began is None:
        return {}
    late = (datetime.fromisoformat(ready) - datetime.fromisoformat(began)).total_seconds()
    if not 0 <= late <= seconds:  # of another attempt
        return {}
    return {"phases": known["phases"] | {"train": seconds - late}, "began": known["began"] | {"train": ready}}


def _add_up(used: dict[str, float], data: dict[str, Any]) -> dict[str, float]:
    """Time adds up over the processes of a run; of memory, the highest counts."""
    sums = {key: used.get(key, 0.0) + data.get(key, 0.0) for key in ("cpu_seconds", "gpu_hours")}
    peaks = {key: max(used.get(key, 0), data.get(key, 0)) for key in ("peak_memory_bytes", "peak_gpu_memory_bytes")}
    return sums | peaks
