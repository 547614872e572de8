"""A workflow run as GitHub tells it: by the event of its end, and by its jobs. Nothing here comes from the bundle."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runhive.actions.github import GitHub
from runhive.errors import RunhiveError

Text = Annotated[str, StringConstraints(max_length=1_000)]
NODE_JOB = re.compile(r"(?:.* / )?node\b.*")  # what trains: `node (0)`, or `train / node (0)` of a reusable workflow
BADLY = {
    "failure": ("failed", "its jobs failed"),
    "startup_failure": ("failed", "GitHub could not start the workflow"),
    "timed_out": ("failed", "its job ran out of time"),
    "cancelled": ("canceled", "the workflow run was cancelled"),
    "stale": ("lost", "GitHub heard nothing of it for two weeks"),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Repository(_Part):
    full_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9_.-]+$")]


class _Actor(_Part):
    login: Text


class WorkflowRun(_Part):
    """The `workflow_run` of the event. Names, branch and actor are a stranger's words."""

    id: int = Field(ge=1)
    name: Text | None = None
    display_title: str | None = None
    run_attempt: int = Field(ge=1)
    event: Text
    conclusion: Text
    head_branch: Text | None = None
    head_sha: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    created_at: datetime
    run_started_at: datetime | None = None
    updated_at: datetime
    html_url: Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9.:-]+/[A-Za-z0-9_./-]+$")]
    actor: _Actor | None = None
    repository: _Repository
    head_repository: _Repository

    @property
    def began(self) -> datetime:
        """When this attempt was asked for."""
        return self.run_started_at or self.created_at

    @property
    def turn(self) -> tuple[datetime, int, int]:
        """Sorts workflow runs and their attempts by when they were asked for."""
        return self.began, self.id, self.run_attempt

    @property
    def launcher(self) -> dict[str, Any]:
        """What a run's record says of who started it."""
        told = {"workflow": self.name, "event_name": self.event, "actor": self.actor.login if self.actor else None}
        return {"ci": "GitHub Actions", "url": self.html_url, **{key: one for key, one in told.items() if one}}


@dataclass(frozen=True)
class Jobs:
    """The jobs that train: since when the first waited, when it began, when the last ended; None for never."""

    asked: bool
    queued: datetime | None
    started: datetime | None
    ended: datetime | None


def read_event(path: Path) -> WorkflowRun:
    """Read the event of a workflow run's end. Raises RunhiveError where the file is none."""
    try:
        found = _Event.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunhiveError(f"{path} cannot be read ({error.strerror}): name the file in GITHUB_EVENT_PATH") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunhiveError(f"{path} is no event of a workflow run's end: {where}: {first['msg']}") from None
    return found.workflow_run


class _Event(_Part):
    workflow_run: WorkflowRun


def jobs_of(github: GitHub, run: WorkflowRun) -> Jobs:
    """Ask for the jobs of this attempt."""
    told = github.pages(f"actions/runs/{run.id}/attempts/{run.run_attempt}/jobs", "jobs")
    nodes = [job for job in told if NODE_JOB.fullmatch(str(job.get("name", "")))]
    asked = [job for job in nodes if job.get("conclusion") != "skipped"]
    began = [job for job in asked if job.get("runner_name") or job.get("runner_id")]
    return Jobs(
        asked=bool(asked),
        queued=min(_times(asked, "created_at"), default=None),
        started=min(_times(began, "started_at"), default=None),
        ended=max(_times(began, "completed_at"), default=None),
    )


def bad_ending(run: WorkflowRun, jobs: Jobs) -> tuple[str, str] | None:
    """The state and the cause of a run whose job left no word of its end; None where no training was asked for."""
    if run.conclusion == "success":
        return ("failed", "its jobs succeeded and left no bundle of a run") if jobs.asked else None
    if run.conclusion not in BADLY:
        return None
    state, cause = BADLY[run.conclusion]
    if run.conclusion == "failure" and jobs.started:
        return "lost", "its runner vanished, or could not send what it had: the job ended and left no bundle"
    return (state, cause) if jobs.started or not jobs.asked else (state, f"{cause} before a runner took it")


def _times(jobs: list[dict[str, Any]], name: str) -> list[datetime]:
    found = [datetime.fromisoformat(str(job[name])) for job in jobs if job.get(name)]
    return [one for one in found if one.tzinfo]
