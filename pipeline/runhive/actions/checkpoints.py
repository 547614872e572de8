"""Checkpoints as artifacts of workflow runs: `runhive-checkpoint-RUN`, written by a job that was cut off."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runhive.actions.github import GitHub
from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import RUN_ID

ARTIFACT = "runhive-checkpoint-"
CHECKPOINTS = Path(".runhive/checkpoints")


def unfinished_run(ledger: Ledger, root: Path) -> str | None:
    """The run that was cut off here and has a checkpoint, the newest of several.

    None where there is none, and where training failed by itself: it would fail again.
    """
    cut_off = [run for run in ledger.runs() if run.state in ("running", "canceled", "lost")]
    kept = [run.run_id for run in cut_off if any((root / CHECKPOINTS / run.input_digest).glob("epoch-*.sha256"))]
    return max(kept, default=None)


def checkpointed_run(artifacts: Iterable[Mapping[str, Any]]) -> str | None:
    """The run that one of a workflow run's *artifacts* is a checkpoint of."""
    names = [str(one["name"]) for one in artifacts if not one.get("expired")]
    runs = [name.removeprefix(ARTIFACT) for name in names if name.startswith(ARTIFACT)]
    return next((run for run in sorted(runs, reverse=True) if RUN_ID.fullmatch(run)), None)


def find_checkpoint(github: GitHub, run_id: str, commit: str) -> int:
    """The workflow run that has the newest checkpoint of *run_id*, made from *commit* in this repository.

    Raises RunhiveError where there is none: another commit's code would not go on with it.
    """
    if not RUN_ID.fullmatch(run_id):
        raise RunhiveError(f"{run_id!r} is no run: give the id that `runhive runs list` shows")
    found = [
        (one["created_at"], int(origin["id"]))
        for one in github.pages("actions/artifacts", "artifacts", name=ARTIFACT + run_id)
        if not one.get("expired")
        and (origin := one["workflow_run"])["head_sha"] == commit
        and origin["head_repository_id"] == origin["repository_id"]
    ]
    if not found:
        raise RunhiveError(
            f"run {run_id} has no checkpoint of commit {commit[:8]} any more: start a new run, without --resume"
        )
    return max(found)[1]
