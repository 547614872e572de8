"""From a run's outbox into the ledger: the log's end, samples, numbers and events; the whole log into DVC's cache."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.life.log_text import tail
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.samples import join_samples
from runhive.tracking.life.scalars import read_scalars
from runhive.tracking.secrets import masked
from runhive.tracking.storage import artifacts
from runhive.tracking.storage.turns import filling

LOG = "log.txt"
LOG_BYTES = 64_000
SYSTEM = "system.csv"
SCALARS = "scalars.csv"
SCALAR_ROWS = 20_000  # of one run; of more, every n-th step is in the ledger and all are in the cache


@dataclass
class Intake:
    """What the ledger shall take, and the local paths that it makes superfluous."""

    events: list[Event] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    taken: list[Path] = field(default_factory=list)


def take_up(ledger: Ledger, root: Path, run_id: str, events: Sequence[Event] = ()) -> tuple[Event, ...]:
    """Append *events* to the run together with what its outbox holds, then empty that. Returns what was added."""
    box = outbox(root, run_id)
    with filling(root):
        found = contents(ledger, root, run_id)
        added = ledger.append(run_id, [*found.events, *events], found.files)
        box.drop(found.taken)
    return added


def contents(ledger: Ledger, root: Path, run_id: str) -> Intake:
    """Return what the outbox of the run holds, joined with what the ledger has of it; whole logs go to the cache.

    Taking up the same again adds nothing: a kill between the ledger and the emptying is harmless.
    """
    box = outbox(root, run_id)
    found = Intake()
    for path, event in box.events().items():
        found.events.append(event)
        found.taken.append(path)
    for path, content in box.files().items():
        found.files[path.name] = content
        found.taken.append(path)
    _take_log(ledger, root, run_id, box, found)
    _take_samples(ledger, run_id, box, found)
    _take_scalars(ledger, root, run_id, box, found)
    return found


def _take_log(ledger: Ledger, root: Path, run_id: str, box: Outbox, found: Intake) -> None:
    paths = box.logs()
    new = "".join(_under_heading(path) for path in paths)
    found.taken += paths
    if not new:
        return
    before = _whole_log(ledger, root, run_id)
    whole = before if before.endswith(new) else before + new
    kept = artifacts.keep(root, whole.encode(), "log")
    found.files[LOG] = tail(whole, LOG_BYTES).encode()
    found.events.append(Event("filed", {"files": {LOG: artifacts.without_sha256(kept) | {"ledger": LOG}}}))


def _under_heading(path: Path) -> str:
    text = path.read_text(errors="replace")
    return f"== {path.stem.partition('-')[2]} ==\n{masked(text)}" if text else ""


def _whole_log(ledger: Ledger, root: Path, run_id: str) -> str:
    """The log that was taken up before, whole where this machine's cache has it, its end otherwise."""
    if not ledger.has(run_id):
        return ""
    told = ledger.run(run_id).files.get(LOG)
    content = artifacts.kept(root, told["md5"]) if told else None
    return (content or ledger.file(run_id, LOG) or b"").decode(errors="replace")


def _take_samples(ledger: Ledger, run_id: str, box: Outbox, found: Intake) -> None:
    if box.system.exists():
        found.files[SYSTEM] = join_samples(ledger.file(run_id, SYSTEM), box.system.read_bytes())
        found.taken.append(box.system)


def _take_scalars(ledger: Ledger, root: Path, run_id: str, box: Outbox, found: Intake) -> None:
    lines = read_scalars(box.scalars)
    if not lines:
        return
    found.taken.append(box.scalars)
    steps = [line for line in lines if line["step"] is not None]
    every = math.ceil(sum(len(line["values"]) for line in steps) / SCALAR_ROWS)
    if every > 1:
        found.events.append(Event("filed", {"files": {SCALARS: artifacts.keep(root, scalar_table(steps), "table")}}))
    if steps:
        found.files[SCALARS] = _joined(ledger.file(run_id, SCALARS), scalar_table(steps[:: max(every, 1)]))
    last = {name: value for line in lines for name, value in line["values"].items() if math.isfinite(value)}
    found.events.append(Event("logged", {"metrics": {masked(name): value for name, value in last.items()}}))


def scalar_table(steps: Iterable[dict[str, Any]]) -> bytes:
    """The logged numbers as CSV, one a row: step, name, value, seconds since the run's start."""
    lines = list(steps)
    shown = {name: masked(name) for name in {name for line in lines for name in line["values"]}}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "name", "value", "seconds"])
    writer.writerows(
        [line["step"], shown[name], value, line["seconds"]] for line in lines for name, value in line["values"].items()
    )
    return text.getvalue().encode()


def _joined(before: bytes | None, new: bytes) -> bytes:
    """Two CSV tables under one header; *new* again adds nothing."""
    header, _, rows = new.partition(b"\n")
    if before is None or not before.startswith(header):
        return new
    return before if before.endswith(b"\n" + rows) else before + rows
