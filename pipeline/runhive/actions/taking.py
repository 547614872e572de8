"""From a bundle and GitHub's own word into the ledger: all is checked first, then written in one commit."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runhive.actions.belonging import Incoming, incoming_runs
from runhive.actions.bundle import MODEL
from runhive.actions.claims import check_claims, check_file
from runhive.actions.reading import Opened, open_bundle, refused
from runhive.actions.weighing import Base, Weighed, weigh
from runhive.actions.workflow import Jobs, WorkflowRun, bad_ending
from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions, from_csv
from runhive.gate.verdict import Finding, Verdict
from runhive.params import load_params
from runhive.tracking.applying import WHOLE_LOCK
from runhive.tracking.comparison import PREDICTIONS, find_baseline
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.secrets import masked_tree

NO_WORD = ("failed", "its job ended before the run said how it went")


class NothingTrained(RunhiveError):
    """DVC restored all that the pipeline makes, and nobody told the ledger of the run that made it."""


@dataclass(frozen=True)
class Told:
    """What GitHub says of the workflow run, of its jobs and of the pull request, by its API."""

    workflow: WorkflowRun
    jobs: Jobs
    pull_request: int | None


@dataclass(frozen=True)
class Taken:
    """A run that is in the ledger now, what it is put against, and what was computed of its model."""

    run: Run
    base: Run | None
    base_reason: str
    weighed: Weighed | None
    verdict: Verdict | None
    is_new: bool


def take(ledger: Ledger, root: Path, folder: Path | None, told: Told) -> Taken | None:
    """Add the runs of the bundle in *folder* to the ledger, or one that the workflow alone tells of; None for neither.

    Raises RunhiveError where the bundle is refused, before anything is written.
    """
    opened = open_bundle(folder) if folder is not None and folder.is_dir() and any(folder.iterdir()) else None
    if opened is not None:
        _check_origin(opened, told.workflow)
    if opened is None or opened.bundle.run is None:
        if opened is not None and told.workflow.conclusion == "success":
            raise NothingTrained(
                "nothing was trained, and the ledger has no run of this model: run `runhive runs push` where it was "
                "trained, then run the workflow again"
            )
        return _take_ending(ledger, told)
    incoming = {one.run.run_id: one for one in incoming_runs(opened, ledger, told.workflow)}
    main = incoming[opened.bundle.run]
    _refuse_older(ledger, main.run.run_id, told.workflow)
    base, reason = find_baseline(ledger, main.run, root)
    weighed = _weighed(ledger, root, opened, main, base)
    verdict = _kept_verdict(main.run, told.workflow) or (weighed.verdict if weighed else None)
    new = [one for one in incoming.values() if one.is_new]
    if new:
        of_main = {"metrics": dict(weighed.numbers), "verdict": weighed.verdict.kept()} if weighed else {}
        events = {one.run.run_id: _own_events(one, told, of_main if one is main else {}) for one in new}
        ledger.adopt(_contents(opened, new), events, {main.run.run_id: _whole_lock(opened)})
    return Taken(ledger.run(main.run.run_id), base, reason, weighed, verdict, main.is_new)


def _check_origin(opened: Opened, workflow: WorkflowRun) -> None:
    said = opened.bundle
    if said.repository not in ("", workflow.repository.full_name) or said.workflow_run not in (None, workflow.id):
        raise refused("it says that another workflow run made it")


def _refuse_older(ledger: Ledger, run_id: str, workflow: WorkflowRun) -> None:
    """Two events of one workflow run may come in the wrong order."""
    known = ledger.run(run_id).collected.get("workflow", {}) if ledger.has(run_id) else {}
    if known.get("id") == workflow.id and known.get("attempt", 0) > workflow.run_attempt:
        raise RunhiveError(f"attempt {known['attempt']} of the workflow run is collected: an older one adds nothing")


def _weighed(ledger: Ledger, root: Path, opened: Opened, main: Incoming, base: Run | None) -> Weighed | None:
    """What the base branch's code computes of the bundle's model; None where it has none."""
    model, run = opened.path(MODEL), main.run
    if model is None:
        if run.state == "completed" and run.evaluation:
            raise refused(f"run {run.run_id} says that it is complete, and its model is not there")
        return None
    check_file(opened, run)
    claimed = _claimed_answers(main)
    gate = load_params(root / "params.yaml").gate
    found = weigh(ledger, Base(root, gate, base), model, run, claimed)
    check_claims(run, found, claimed)
    return found


def _claimed_answers(main: Incoming) -> Predictions | None:
    run, content = main.run, main.files.get(PREDICTIONS)
    if content is None:
        return None
    try:
        found = from_csv(content, PREDICTIONS)
    except RunhiveError:
        raise refused(f"{PREDICTIONS} of run {run.run_id} is damaged") from None
    if not len(found.labels) or not np.isfinite(found.logits).all():
        raise refused(f"{PREDICTIONS} of run {run.run_id} holds what is no answer")
    return found


def _contents(opened: Opened, new: list[Incoming]) -> Mapping[str, bytes]:
    """What goes into the ledger as it is: events and files of the new runs, and pictures."""
    ids = {one.run.run_id for one in new}
    return {path: one for path, one in opened.ledger.items() if path.startswith("media/") or path.split("/")[4] in ids}


def _whole_lock(opened: Opened) -> Mapping[str, bytes]:
    """The dvc.lock with the stages that come after the run's own, which `runs apply` brings to the author."""
    lock = opened.path("dvc.lock")
    return {WHOLE_LOCK: lock.read_bytes()} if lock else {}


def _own_events(one: Incoming, told: Told, computed: Mapping[str, Any]) -> list[Event]:
    """The collector's own events: how long the run waited, how it ended where it did not say so, where it came from."""
    run = one.run
    ended = [event for event in run.events if event.type == "finished"]
    if run.state == "running":
        state, cause = bad_ending(told.workflow, told.jobs) or NO_WORD
        finished = _finished(told, run.attempt, state, cause)
    else:
        finished = Event("finished", ended[-1].data, time=ended[-1].time)
    return [*_queued(told, run.attempt), finished, _collected(told, computed)]


def _take_ending(ledger: Ledger, told: Told) -> Taken | None:
    """A run that left no record of its own: the workflow's times and its end are all that is known."""
    ending = bad_ending(told.workflow, told.jobs)
    if ending is None:
        return None
    workflow = told.workflow
    run_id = ending_id(workflow)
    _refuse_older(ledger, run_id, workflow)
    code = {"commit": workflow.head_sha, "branch": workflow.head_branch}
    started = masked_tree({"launcher": workflow.launcher, "code": code})
    events = [Event("started", started, time=workflow.created_at.isoformat())]
    if workflow.run_attempt > 1:
        resumed = masked_tree({"attempt": workflow.run_attempt, "launcher": workflow.launcher})
        events.append(Event("resumed", resumed, time=workflow.began.isoformat()))
    events += [
        *_queued(told, workflow.run_attempt),
        _finished(told, workflow.run_attempt, *ending),
        _collected(told, {}),
    ]
    is_new = ledger.adopt({}, {run_id: events})
    return Taken(ledger.run(run_id), None, "", None, None, is_new)


def ending_id(workflow: WorkflowRun) -> str:
    """The id of the run of a workflow run that left none: the same whenever it is asked for."""
    named = hashlib.sha256(f"{workflow.repository.full_name}/{workflow.id}".encode()).hexdigest()
    return f"{workflow.created_at:%Y%m%d-%H%M%S}-{named[:6]}"


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


def _kept_verdict(run: Run, workflow: WorkflowRun) -> Verdict | None:
    """The verdict that was given when this workflow run was collected before, so that the answer stays the same."""
    kept = run.collected.get("verdict") or {}
    if not kept or run.collected.get("workflow", {}).get("id") != workflow.id:
        return None
    fields = {name: kept[name] for name in ("candidate", "current", "asked", "numbers")}
    findings = tuple(Finding(**one) for one in kept["findings"])
    return Verdict(findings=findings, warnings=tuple(kept["warnings"]), sets=tuple(kept["sets"]), **fields)
