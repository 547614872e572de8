"""Runs of the workflow that trains: started, found, read, ended and started again by GitHub's API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runhive.actions.github import GitHub, GitHubError
from runhive.compute.check import WORKFLOW
from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import new_run_id

SUBMISSION = re.compile(r"s-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
RECENT = 100  # workflow runs among which a submission is looked for


@dataclass(frozen=True)
class Step:
    """One step of a job. Times are None before they come."""

    name: str
    status: str
    conclusion: str | None
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True)
class Job:
    """One job of an attempt."""

    name: str
    status: str
    conclusion: str | None
    runner: str
    started: datetime | None
    ended: datetime | None
    steps: list[Step] = field(default_factory=list)

    @property
    def has_begun(self) -> bool:
        """Whether a runner took it; GitHub gives those that wait a start too."""
        return self.status == "in_progress" or (self.status == "completed" and self.conclusion != "skipped")


@dataclass(frozen=True)
class WorkflowRun:
    """One attempt of a workflow run."""

    number: int
    attempt: int
    url: str
    title: str
    status: str
    conclusion: str | None
    began: datetime
    ended: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether no job of it runs or waits."""
        return self.status == "completed"


def new_submission() -> str:
    """Return an id by which a submission's workflow run is found."""
    return f"s-{new_run_id()}"


def dispatch(github: GitHub, branch: str, inputs: Mapping[str, str]) -> None:
    """Ask GitHub to start the workflow on *branch*. Raises GitHubError where it refuses."""
    github.post(f"actions/workflows/{WORKFLOW}/dispatches", {"ref": branch, "inputs": dict(inputs)})


def find_submission(github: GitHub, submission: str) -> WorkflowRun | None:
    """Return the workflow run whose title holds *submission*; None while GitHub lists none."""
    told = github.get(f"actions/workflows/{WORKFLOW}/runs", event="workflow_dispatch", per_page=RECENT)
    found = [_parse(item) for item in told["workflow_runs"]]
    return next((run for run in found if submission in run.title.split()), None)


def read_workflow_run(github: GitHub, number: int) -> WorkflowRun:
    """Return the last attempt of a workflow run. Raises RunhiveError where there is none of that number."""
    told = github.find(f"actions/runs/{number}")
    if told is None:
        raise RunhiveError(f"{github.repository} has no workflow run {number}: see `gh run list`")
    return _parse(told)


def read_jobs(github: GitHub, run: WorkflowRun) -> list[Job]:
    """Return the jobs of the attempt."""
    return [_job(item) for item in github.pages(f"actions/runs/{run.number}/attempts/{run.attempt}/jobs", "jobs")]


def cancel(github: GitHub, run: WorkflowRun) -> None:
    """Ask GitHub to end it. Raises RunhiveError where it has ended."""
    if run.is_over:
        raise RunhiveError(f"workflow run {run.number} has ended already ({run.conclusion}): nothing to cancel")
    github.post(f"actions/runs/{run.number}/cancel", {})


def start_again(github: GitHub, run: WorkflowRun) -> None:
    """Ask GitHub for another attempt of the same commit and inputs. Raises RunhiveError where it goes on or is old."""
    if not run.is_over:
        raise RunhiveError(f"workflow run {run.number} has not ended: run `runhive cancel {run.number}` first")
    try:
        github.post(f"actions/runs/{run.number}/rerun", {})
    except GitHubError as error:
        if error.status == 403:
            raise RunhiveError(
                f"GitHub does not start workflow run {run.number} again, as for those older than 30 days: check out "
                "its commit on a branch and use `runhive submit`"
            ) from error
        raise


def _parse(item: Mapping[str, Any]) -> WorkflowRun:
    over = item["status"] == "completed"
    return WorkflowRun(
        number=int(item["id"]),
        attempt=int(item["run_attempt"]),
        url=str(item["html_url"]),
        title=str(item.get("display_title") or ""),
        status=str(item["status"]),
        conclusion=str(item["conclusion"]) if item.get("conclusion") else None,
        began=datetime.fromisoformat(item.get("run_started_at") or item["created_at"]),
        ended=_time(item.get("updated_at")) if over else None,
    )


def _job(item: Mapping[str, Any]) -> Job:
    steps = [
        Step(
            str(step["name"]), str(step["status"]), step.get("conclusion"), _time(step.get("started_at")),
            _time(step.get("completed_at")),
        )
        for step in item.get("steps") or ()
    ]  # fmt: skip
    return Job(
        name=str(item["name"]),
        status=str(item["status"]),
        conclusion=item.get("conclusion"),
        runner=str(item.get("runner_name") or ""),
        started=_time(item.get("started_at")),
        ended=_time(item.get("completed_at")),
        steps=steps,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
