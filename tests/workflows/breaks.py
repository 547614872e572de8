"""A machine that is taken away while it trains, and what GitHub says of that afterwards."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import events
import psutil
from act import REPOSITORY, Ran
from team import Hive

from runhive.actions.checkpoints import ARTIFACT

DISPATCHES = f"repos/{REPOSITORY}/actions/workflows/11/dispatches"


def cut_off(hive: Hive, ran: Ran, head: str, branch: str, run_id: str) -> None:
    """What GitHub says of a train whose runner was taken away."""
    name = ARTIFACT + run_id
    origin = {"id": ran.number, "head_sha": head, "head_repository_id": 1, "repository_id": 1}
    artifact: dict[str, Any] = {"name": name, "expired": False, "created_at": ran.ended, "workflow_run": origin}
    hive.box.answers(
        {"path": f".*/actions/runs/{ran.number}/artifacts", "body": {"artifacts": [artifact]}},
        {"path": ".*/actions/artifacts", "body": {"artifacts": [artifact]}},
        {"path": f".*/actions/runs/{ran.number}/jobs", "body": events.jobs_of(ran, "cancelled")},
        {
            "path": ".*/check-runs/[0-9]+/annotations",
            "body": [{"message": "The runner has received a shutdown signal."}],
        },
        {"path": f".*/git/ref/heads/{branch}", "body": {"object": {"sha": head}}},
        {"path": ".*/actions/workflows/11/runs", "body": {"workflow_runs": []}},
        {"method": "POST", "path": DISPATCHES, "text": ""},
    )


@contextmanager
def machine_taken_away(home: Path) -> Iterator[None]:
    """Ask the training process that runs below *home* to end when it has some checkpoints, as a lost machine does."""
    over = threading.Event()
    watching = threading.Thread(target=_end_after_some_epochs, args=(home, over))
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _end_after_some_epochs(home: Path, over: threading.Event) -> None:
    while not list(home.glob(".cache/act/*/hostexecutor/.runhive/checkpoints/*/epoch-00000[2-9]-*.sha256")):
        if over.wait(0.02):
            return
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if words[1:3] == ["pipeline", "train"] and str(home) in (process.info["cwd"] or ""):
            process.terminate()
