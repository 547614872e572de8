"""Who started a run, on how many machines, and since when it waited: what the process tree and its environment say."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from runhive.tracking.ledger.run import Event, utc_now
from runhive.tracking.life.process import dvc_above
from runhive.tracking.secrets import masked

PARENT = "RUNHIVE_PARENT"  # the run id of what started this run, as a sweep
LAUNCHER = "RUNHIVE_LAUNCHER"  # what started it, in words
QUEUED_AT = "RUNHIVE_QUEUED_AT"  # ISO 8601: when it was submitted
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
    """Return the event of the time from submission to now, where the submitter told its time."""
    submitted = os.environ.get(QUEUED_AT)
    try:
        since = datetime.fromisoformat(submitted) if submitted else None
    except ValueError:
        return None
    if since is None or since.tzinfo is None:
        return None
    waited = max(0.0, (datetime.now(UTC) - since).total_seconds())
    return Event("queued", {"attempt": attempt}, seconds=waited, began=since.astimezone(UTC).isoformat())


def prepared_event(attempt: int) -> Event:
    """Return the event of the time from the start of this process to now."""
    started = psutil.Process().create_time()
    seconds = max(0.0, datetime.now(UTC).timestamp() - started)
    began = datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds")
    return Event("prepared", {"attempt": attempt}, time=utc_now(), seconds=seconds, began=began)


def _dvc_command() -> str | None:
    """`dvc repro`, `dvc exp run` and the like: the words of the nearest dvc above, without options and names."""
    words = dvc_above()
    if words is None:
        return None
    return " ".join(["dvc", *words[: 2 if words[:1] in (["exp"], ["experiments"], ["queue"]) else 1]])


def _own_command() -> str:
    """`runhive run` and the like; `python` for a script that uses the Python API."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join(["runhive", *sys.argv[1:2]]) if name in ("runhive", "pipeline") else "python"


def _workflow() -> dict[str, Any]:
    """The workflow run on GitHub Actions that this process belongs to."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return {}
    told = {key: os.environ.get(f"GITHUB_{key.upper()}", "") for key in ("workflow", "event_name", "actor", "job")}
    where = "/".join(os.environ.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY"))
    url = f"{where}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '')}"
    return {"ci": "GitHub Actions", "url": url, **{key: masked(value) for key, value in told.items() if value}}
