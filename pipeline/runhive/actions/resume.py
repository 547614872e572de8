"""A train that was cut off goes on: dispatched again from its last checkpoint, a few times, and only where it helps."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runhive.actions.checkpoints import checkpointed_run
from runhive.actions.github import GitHub
from runhive.errors import RunhiveError
from runhive.files import write_atomic

MOST = 5
CUT_OFF = ("cancelled", "timed_out", "failure")
INPUTS = ("compute", "nodes", "set", "submission")
BY_A_PERSON = "canceled by @"  # GitHub's annotation of a job that somebody canceled


def keep_asked(path: Path, asked: Mapping[str, str]) -> None:
    """Write what was *asked* of a train, the inputs of train.yml, for the day that it is cut off."""
    assert set(asked) == set(INPUTS)
    write_atomic(path, json.dumps(asked, indent=1, sort_keys=True).encode())


def resume(github: GitHub, event: Mapping[str, Any], planned: Path) -> str:
    """Dispatch the train of *event* again if that helps, and say what was done and why.

    *planned* holds what was asked of it, where its plan got that far. Raises RunhiveError where GitHub refuses.
    """
    ended = event["workflow_run"]
    if (ended.get("head_repository") or {}).get("full_name") != github.repository:
        return "not resumed: it is a fork's"
    if ended["conclusion"] not in CUT_OFF:
        return f"not resumed: it ended with {ended['conclusion']}"
    run_id = checkpointed_run(github.pages(f"actions/runs/{int(ended['id'])}/artifacts", "artifacts"))
    if run_id is None:
        return "not resumed: it left no checkpoint"
    if _canceled_by_a_person(github, int(ended["id"])):
        return f"run {run_id} is not resumed: a person canceled it"
    branch = github.find(f"git/ref/heads/{ended['head_branch']}")
    if branch is None or branch["object"]["sha"] != ended["head_sha"]:
        return f"run {run_id} is not resumed: its branch has moved on"
    before = _resumed(github, ended, run_id)
    if before >= MOST:
        return f"run {run_id} is not resumed: it was, {before} times"
    inputs = _asked(planned) | {"resume": run_id}
    path = f"actions/workflows/{int(ended['workflow_id'])}/dispatches"
    github.post(path, {"ref": ended["head_branch"], "inputs": inputs})
    return f"run {run_id} is resumed, for the {before + 1}. time of at most {MOST}"


def _resumed(github: GitHub, ended: Mapping[str, Any], run_id: str) -> int:
    """How often the run was dispatched again: train.yml puts that into the title of the workflow run."""
    path = f"actions/workflows/{int(ended['workflow_id'])}/runs"
    runs = github.pages(path, "workflow_runs", event="workflow_dispatch", head_sha=ended["head_sha"])
    return sum(str(one["display_title"]).endswith(f"resume {run_id}") for one in runs)


def _canceled_by_a_person(github: GitHub, workflow_run: int) -> bool:
    jobs = github.pages(f"actions/runs/{workflow_run}/jobs", "jobs")
    canceled = [int(job["id"]) for job in jobs if job["conclusion"] == "cancelled"]
    told = [note for job in canceled for note in github.pages(f"check-runs/{job}/annotations")]
    return any(BY_A_PERSON in str(note.get("message")) for note in told)


def _asked(planned: Path) -> dict[str, str]:
    """The inputs of the train, which its plan kept."""
    try:
        asked = json.loads(planned.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RunhiveError(f"{planned} is damaged: start a new run") from error
    if not isinstance(asked, dict) or not all(isinstance(asked.get(key), str) for key in INPUTS):
        raise RunhiveError(f"{planned} holds no inputs of train.yml: start a new run")
    return {key: asked[key] for key in INPUTS}
