"""Who started a run, on how many machines, and since when it waited: what the process tree and its environment say."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pygit2

from runhive.tracking.ledger.run import Event
from runhive.tracking.life.process import dvc_above
from runhive.tracking.secrets import masked

PARENT = "RUNHIVE_PARENT"  # the run id of what started this run, as a sweep
REPRODUCES = "RUNHIVE_REPRODUCES"  # the run id of which this run is a reproduction
LAUNCHER = "RUNHIVE_LAUNCHER"  # what started it, in words
QUEUED_AT = "RUNHIVE_QUEUED_AT"  # ISO 8601: when it was submitted
IMAGE = "RUNHIVE_IMAGE"  # the container that a workflow's job runs in, with its digest
QUEUE_WORKER = ["exp", "exec-run"]  # how DVC's queue calls itself
EXEC_MERGE = "refs/exps/exec/EXEC_MERGE"  # in the worker's workspace, a repository of its own: what was enqueued
NODES = ("GROUP_WORLD_SIZE", "SLURM_JOB_NUM_NODES", "PBS_NUM_NODES", "LSB_DJOB_NUMHOSTS")


def origin() -> dict[str, Any]:
    """Return the fields `launcher`, `nodes` and `parent` of a run that starts in this process."""
    counts = [int(count) for name in NODES if (count := os.environ.get(name, "")).isdecimal()]
    return {
        "launcher": {"command": os.environ.get(LAUNCHER) or _dvc_command() or _own_command(), **_workflow()},
        "nodes": max(counts, default=1) or 1,
        "parent": os.environ.get(PARENT),
    }


def queued_event(attempt: int) -> Event | None:
    """Return the event of the time from submission to when something was there to run it.

    The submitter told its time, or it waited in DVC's queue. None where there was no waiting.
    """
    since = _submitted() or _enqueued()
    if since is None:
        return None
    waited = max(0.0, _taken_up().timestamp() - since.timestamp())
    return Event("queued", {"attempt": attempt}, seconds=waited, began=since.isoformat())


def prepared_event(attempt: int) -> Event:
    """Return the event of the time from the start of this process to now."""
    began = _start_of(os.getpid())
    now = datetime.now(UTC)
    seconds = round(max(0.0, (now - began).total_seconds()), 3)
    told = now.isoformat(timespec="milliseconds")
    return Event("prepared", {"attempt": attempt}, told, seconds, began=began.isoformat(timespec="milliseconds"))


def _submitted() -> datetime | None:
    try:
        told = datetime.fromisoformat(os.environ.get(QUEUED_AT, ""))
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo else None


def _enqueued() -> datetime | None:
    """When `dvc exp run --queue` made the stash commit that the worker merged into the workspace around us."""
    above = dvc_above()
    if above is None or above.words[:2] != QUEUE_WORKER:
        return None
    workspace = pygit2.discover_repository(str(Path.cwd()))
    reference = pygit2.Repository(workspace).references.get(EXEC_MERGE) if workspace else None
    return datetime.fromtimestamp(reference.peel(pygit2.Commit).commit_time, UTC) if reference else None


def _taken_up() -> datetime:
    """When the process that runs this began: the nearest `dvc` above, or else this one."""
    above = dvc_above()
    return _start_of(above.pid if above else os.getpid())


def _start_of(pid: int) -> datetime:
    try:
        return datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC)
    except psutil.Error:  # it ended meanwhile
        return datetime.now(UTC)


def _dvc_command() -> str | None:
    """`dvc repro`, `dvc exp run`, `dvc queue` and the like: the words of the nearest dvc above, without options."""
    above = dvc_above()
    if above is None:
        return None
    words = ["queue"] if above.words[:2] == QUEUE_WORKER else above.words
    return " ".join(["dvc", *words[: 2 if words[:1] in (["exp"], ["experiments"], ["queue"]) else 1]])


def _own_command() -> str:
    """`runhive run` and the like; `python` for a script that uses the Python API."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join(["runhive", *sys.argv[1:2]]) if name in ("runhive", "pipeline") else "python"


def _workflow() -> dict[str, Any]:
    """The workflow run on GitHub Actions that this process belongs to, and the container that its job runs in."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return {}
    told = {key: os.environ.get(f"GITHUB_{key.upper()}", "") for key in ("workflow", "event_name", "actor", "job")}
    told["image"] = os.environ.get(IMAGE, "")
    where = "/".join(os.environ.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY"))
    url = f"{where}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '')}"
    return {"ci": "GitHub Actions", "url": url, **{key: masked(value) for key, value in told.items() if value}}
