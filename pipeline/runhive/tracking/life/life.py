"""The life of a run in the process that owns it: heartbeat and samples, and the word of a bad end to the ledger."""

import hashlib
import json
import os
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.changes import PATCH, uncommitted
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.life import liveness
from runhive.tracking.life.broadcast import broadcasting
from runhive.tracking.life.machine import PACKAGES, package_list
from runhive.tracking.life.origin import origin
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.process import this_process
from runhive.tracking.life.usage import Meter, sampled
from runhive.tracking.repository import code_state
from runhive.tracking.secrets import masked, masked_tree

RUN_ID = "RUNHIVE_RUN_ID"  # tells children, and the Python API in this process, which run they belong to
ROOT = "RUNHIVE_ROOT"
STOPS = (signal.SIGINT, signal.SIGTERM)
TRACEBACK_BYTES = 8_000


class Stopped(SystemExit):
    """A signal ended this process; the exit code is the shell's for it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name


def described(started: Mapping[str, Any], workspace: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the data of `started` with origin and uncommitted changes, secrets masked, and the files to open with.

    Where *started* has no input digest, it is that of command, parameters, code and packages.
    """
    patch, told = uncommitted(workspace)
    files = {PACKAGES: package_list()} | ({PATCH: patch} if patch else {})
    found: dict[str, Any] = masked_tree({**origin(), **started, "code": {**code_state(workspace), **told}})
    return {"input_digest": _input_digest(found, files), **found}, files


def _input_digest(started: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    parts = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    inputs = {"command": started.get("command"), "params": started.get("params"), "tree": started["code"]["tree"]}
    return hashlib.sha256(json.dumps([inputs, parts], sort_keys=True).encode()).hexdigest()


@contextmanager
def lived(
    ledger: Ledger, root: Path, run_id: str, attempt: int, phase: str, opening: Sequence[Event] = (),
    files: Mapping[str, bytes] | None = None, of_children: bool = False,
) -> Iterator[Outbox]:  # fmt: skip
    """Own the run during the block: watched, sampled, and closed in the ledger where the block ends badly.

    It stays watched: the caller closes what ended well or hands it on, and calls `liveness.leave` for what did not.
    """
    box = outbox(root, run_id)
    box.folder.mkdir(parents=True, exist_ok=True)
    ignore = root / ".runhive" / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, b"*\n")
    liveness.watch(root, run_id, this_process(), phase)
    os.environ |= {RUN_ID: run_id, ROOT: str(root)}
    meter = Meter(of_children)
    try:
        if opening:
            ledger.append(run_id, opening, files or {})
        beating = sampled(meter, box.system, phase, lambda: liveness.beat(root, run_id))
        with beating, broadcasting(root, run_id, attempt, phase):
            yield box
        box.post(Event("used", meter.used(phase, attempt)))
    except BaseException as error:
        ledger.append(run_id, [*opening, Event("finished", ending(error, attempt, phase))])
        box.post(Event("used", meter.used(phase, attempt)))
        raise
    finally:
        os.environ.pop(RUN_ID, None)
        os.environ.pop(ROOT, None)


def ending(error: BaseException, attempt: int, phase: str) -> dict[str, Any]:
    """Return the data of `finished` for a run that *error* ended in *phase*, which is named after training."""
    where = "" if phase in ("train", "run") else f"{phase}: "
    if isinstance(error, KeyboardInterrupt | Stopped):
        stopped = "by Ctrl-C" if isinstance(error, KeyboardInterrupt) else f"by {error.signal}"
        return {"state": "canceled", "cause": f"{where}stopped {stopped}", "attempt": attempt}
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code == 0:
            return {"state": "completed", "attempt": attempt}
        return {"state": "failed", "cause": f"{where}exited with code {code}", "attempt": attempt, "exit_code": code}
    told: dict[str, Any] = {"state": "failed", "cause": where + cause_of(error), "attempt": attempt}
    if not isinstance(error, RunhiveError):
        lines = "".join(traceback.format_exception(error))
        told["traceback"] = masked(lines[-TRACEBACK_BYTES:])
    return told


def cause_of(error: BaseException) -> str:
    """Return the error in one line; its kind is named where it is a bug and no mistake of the user."""
    line = masked((str(error).splitlines() or [""])[0])
    return line if isinstance(error, RunhiveError) else f"{type(error).__name__}: {line}".removesuffix(": ")


def exit_on_signals() -> None:
    """From now on end by an exception on SIGINT and SIGTERM, so that the ledger hears of it."""
    for number in STOPS:
        signal.signal(number, _exit_on_signal)


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    """End, once: when a parent of several threads dies, the kernel sends a signal for each, and people press twice."""
    for one in STOPS:
        signal.signal(one, signal.SIG_IGN)
    raise Stopped(number)
