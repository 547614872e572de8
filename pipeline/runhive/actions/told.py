"""What the collector itself puts into the ledger of a run: GitHub's word of it, and what it computed."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runhive.actions.workflow import Jobs, WorkflowRun, bad_ending
from runhive.tracking.comparison import Comparison
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.secrets import masked_tree

NO_WORD = ("failed", "its job ended before the run said how it went")


@dataclass(frozen=True)
class Told:
    """What GitHub says of the workflow run, of its jobs and of the pull request, by its API."""

    workflow: WorkflowRun
    jobs: Jobs
    pull_request: int | None


@dataclass(frozen=True)
class Computed:
    """What the collector computed of a run: what `collected` says of it, and the comparison in place of the run's."""

    told: Mapping[str, Any]
    comparison: Comparison | None


def events_of(run: Run, told: Told, computed: Computed) -> list[Event]:
    """How long the run of a bundle waited, how it ended where it did not say so, how it compares, where it is from."""
    ended = [event for event in run.events if event.type == "finished"]
    if run.state == "running":
        state, cause = bad_ending(told.workflow, told.jobs) or NO_WORD
        finished = _finished(told, run.attempt, state, cause)
    else:
        finished = Event("finished", ended[-1].data, time=ended[-1].time)
    found = computed.comparison
    compared = [Event("compared", asdict(found), time=told.workflow.updated_at.isoformat())] if found else []
    return [*_queued(told, run.attempt), *compared, finished, _collected(told, computed.told)]


def ending_id(workflow: WorkflowRun) -> str:
    """The id of the run of a workflow run that left none: the same whenever it is asked for."""
    named = hashlib.sha256(f"{workflow.repository.full_name}/{workflow.id}".encode()).hexdigest()
    return f"{workflow.created_at:%Y%m%d-%H%M%S}-{named[:6]}"


def ending_events(told: Told, ending: tuple[str, str]) -> list[Event]:
    """All that is known of a run that left no record: the workflow's times, and its state and cause as *ending*."""
    workflow = told.workflow
    code = {"commit": workflow.head_sha, "branch": workflow.head_branch}
    started = masked_tree({"launcher": workflow.launcher, "code": code})
    events = [Event("started", started, time=workflow.created_at.isoformat())]
    if workflow.run_attempt > 1:
        resumed = masked_tree({"attempt": workflow.run_attempt, "launcher": workflow.launcher})
        events.append(Event("resumed", resumed, time=workflow.began.isoformat()))
    return [
        *events,
        *_queued(told, workflow.run_attempt),
        _finished(told, workflow.run_attempt, *ending),
        _collected(told, {}),
    ]


def _queued(told: Told, attempt: int) -> list[Event]:
    """From when GitHub was asked to when a runner took the job, both by GitHub's clock."""
    if told.jobs.started is None:
        return []
    began = told.workflow.began
    waited = max(0.0, (told.jobs.started - began).total_seconds())
    time = told.jobs.started.isoformat()
    return [Event("queued", {"attempt": attempt}, time=time, seconds=waited, began=began.isoformat())]


def _finished(told: Told, attempt: int, state: str, cause: str) -> Event:
    ended = (told.jobs.ended or told.workflow.updated_at).isoformat()
    return Event("finished", {"state": state, "attempt": attempt, "cause": cause}, time=ended)


def _collected(told: Told, computed: Mapping[str, Any]) -> Event:
    workflow = told.workflow
    of_workflow = {
        "id": workflow.id, "attempt": workflow.run_attempt, "url": workflow.html_url, "event": workflow.event,
        "actor": workflow.actor.login if workflow.actor else None, "branch": workflow.head_branch,
        "commit": workflow.head_sha, "repository": workflow.head_repository.full_name,
        "conclusion": workflow.conclusion,
        "asked_at": workflow.began.isoformat(),
        "started_at": told.jobs.started.isoformat() if told.jobs.started else None,
        "ended_at": (told.jobs.ended or workflow.updated_at).isoformat(),
    }  # fmt: skip
    data = {"workflow": of_workflow, "pull_request": told.pull_request, **computed}
    return Event("collected", masked_tree(data), time=workflow.updated_at.isoformat())
