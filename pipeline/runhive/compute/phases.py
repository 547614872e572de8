"""The phases of a submission: queued, preparing, running, finalizing, from what GitHub says of its jobs and steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runhive.compute.workflow_runs import Job, Step, WorkflowRun

FIRST_NODE = re.compile(r"(?:.* / )?node \(?0\)?")  # the job of the machine that keeps the run
TRAINING = re.compile(r"Train\b.*")  # the step that trains


@dataclass(frozen=True)
class Phase:
    """One phase; it has not ended while `ended` is None."""

    name: str
    began: datetime
    ended: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes by *now*."""
        return max(0.0, ((self.ended or now) - self.began).total_seconds())


def node_job(jobs: Sequence[Job]) -> Job | None:
    """Return the job that keeps the run; None while GitHub has not made it."""
    return next((job for job in jobs if FIRST_NODE.fullmatch(job.name)), None)


def phases_of(run: WorkflowRun, jobs: Sequence[Job]) -> list[Phase]:
    """Return the phases so far; each begins where the one before it ended."""
    node = node_job(jobs)
    step = _training(node) if node else None
    borders = [
        ("queued", run.began),
        ("preparing", node.started if node and node.has_begun and node.runner else None),
        ("running", step.started if step else None),
        ("finalizing", (step.ended if step else None) or (node.ended if node and node.has_begun else None)),
    ]
    begun = [(name, began) for name, began in borders if began is not None]
    ends = [*(began for _, began in begun[1:]), run.ended if run.is_over else None]
    return [Phase(name, began, ended) for (name, began), ended in zip(begun, ends, strict=True)]


def _training(node: Job) -> Step | None:
    steps = (step for step in node.steps if TRAINING.fullmatch(step.name))
    return next((step for step in steps if step.started and step.conclusion != "skipped"), None)
