"""Any command as a run: its output, its end, its samples, and the files that it leaves in `outputs` and `logs`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event, new_run_id, utc_now
from runhive.tracking.life import liveness
from runhive.tracking.life.capture import captured
from runhive.tracking.life.filing import MOST_FILES, Snapshot, file_path, post_files, snapshot
from runhive.tracking.life.intake import take_up
from runhive.tracking.life.life import described, lived
from runhive.tracking.life.machine import describe_machine
from runhive.tracking.life.origin import queued_event
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.process import die_with_parent
from runhive.tracking.repository import main_root, printable
from runhive.tracking.secrets import masked, masked_arguments

FOLDERS = (Path("outputs"), Path("logs"))
PARAMS = Path("params.yaml")
GRACE_SECONDS = 7.0  # of the ten that a runner gives from cancel to kill
TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:.*\n)*", re.MULTILINE)


def run_command(command: Sequence[str], experiment: str | None, name: str, tags: Sequence[str]) -> int:
    """Run *command* here as a run of its own and return its exit code, as a shell would tell it.

    Raises RunhiveError where there is no such program; then there is no run either.
    """
    if shutil.which(command[0]) is None:
        raise RunhiveError(f"{command[0]!r} is not a program here: check the name after `--`")
    root = main_root()
    ledger = open_ledger(root)
    liveness.close_lost(ledger, root)
    run_id, began, params = new_run_id(), utc_now(), _params()
    own = {"name": name, "tags": list(tags), "command": masked_arguments(list(command))}
    own["experiment"] = experiment or str(params.get("experiment") or Path(_script(command)).stem)
    started, files = described({**own, "params": params, "environment": describe_machine()}, Path.cwd())
    print(f"run {run_id}", file=sys.stderr)
    opening = [event for event in (Event("started", started, time=began), queued_event(1)) if event]
    box = outbox(root, run_id)
    before = snapshot(FOLDERS)
    watch = time.monotonic()
    try:
        living = lived(ledger, root, run_id, 1, "run", opening, files, of_children=True)
        with captured(box.new_log("run")) as printed, living:
            code, stopped_by = _execute(command)
            _collect(root, box, before)
    except BaseException:
        liveness.leave(ledger, root)
        raise
    ran = Event("ran", {"exit_code": code}, seconds=time.monotonic() - watch, began=began)
    take_up(ledger, root, run_id, [ran, Event("finished", _ending(code, stopped_by, box, printed.error))])
    liveness.forget(root, run_id)
    return code


def _script(command: Sequence[str]) -> str:
    """The first argument that names a script; the program where it has none, as `python -c` and `make -j`."""
    first = command[1] if len(command) > 1 else "-"
    return command[0] if first.startswith("-") else first


def _params() -> dict[str, Any]:
    """What params.yaml holds, whatever its keys are; nothing without one."""
    if not PARAMS.exists():
        return {}
    try:
        found = YAML(typ="safe").load(PARAMS)
    except YAMLError as error:
        raise RunhiveError(f"{PARAMS} is no YAML ({str(error).splitlines()[0]}): mend it") from error
    return dict(json.loads(json.dumps(found, default=str))) if isinstance(found, dict) else {}


def _execute(command: Sequence[str]) -> tuple[int, str | None]:
    """Run *command* to its end; return its exit code, and the signal that this process was told to stop by."""
    stopped_by: list[int] = []
    deadline = float("inf")
    process = subprocess.Popen(
        command,
        env={"PYTHONUNBUFFERED": "1", **os.environ},
        preexec_fn=die_with_parent,
    )

    def forward(number: int, _: FrameType | None) -> None:
        nonlocal deadline
        if not stopped_by:
            deadline = time.monotonic() + GRACE_SECONDS
        stopped_by.append(number)
        if number != signal.SIGINT or not os.isatty(0):  # a terminal tells the whole group
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
            try:
                process.wait(0.2 if stopped_by else 1.0)
            except subprocess.TimeoutExpired:
                continue
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return code, signal.Signals(stopped_by[0]).name if stopped_by else None


def _collect(root: Path, box: Outbox, before: Snapshot) -> None:
    """Keep each file below FOLDERS that is new or was changed."""
    changed = [path for path, state in snapshot(FOLDERS).items() if before.get(path) != state]
    for path in changed[MOST_FILES:]:
        print(f"not kept: {printable(str(path))}: only {MOST_FILES} files of a run are", file=sys.stderr)
    files = {printable(path.as_posix()): file_path(root, box, path) for path in changed[:MOST_FILES]}
    post_files(box, files)


def _ending(code: int, stopped_by: str | None, box: Outbox, error: str) -> dict[str, Any]:
    """The data of `finished`; the last words of a failed command are its cause, its last *error* if any."""
    ending: dict[str, Any] = {"attempt": 1, "exit_code": code}
    if stopped_by:
        return ending | {"state": "canceled", "cause": f"stopped by {stopped_by}"}
    if code == 0:
        return ending | {"state": "completed"}
    log = "".join(path.read_text(errors="replace") for path in box.logs())
    last = error or (log.rstrip().splitlines() or ["it printed nothing"])[-1]
    if code > 128:
        killed = f"killed by {_signal_name(code - 128)}"
        hint = ", as the kernel does when memory runs out" if code == 128 + signal.SIGKILL else ""
        last = f"{killed}{hint}"
    told = {"state": "failed", "cause": f"exited with code {code}: {masked(last)[:300]}"}
    found = TRACEBACK.findall(log)
    return ending | told | ({"traceback": masked(found[-1])[-8_000:]} if found else {})


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
