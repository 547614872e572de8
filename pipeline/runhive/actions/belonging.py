"""Whose runs a bundle holds: those of this workflow run, which add to the hub's ledger and contradict nothing in it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pygit2

from runhive.actions.packing import launchers
from runhive.actions.reading import Opened, refused
from runhive.actions.workflow import WorkflowRun
from runhive.tracking.ledger.layout import check_content
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import bytes_of, commit_at, subtree, tree_of
from runhive.tracking.ledger.run import Event, Run, fold, run_folder
from runhive.tracking.ledger.stone import refuse_purged

KINDS = ("events", "files", "pictures")  # of the ledger's paths, those that a job may write
MARKS = ("tagged", "noted", "named", "archived")  # what people add later
TRUSTED = ("collected", "versioned", "promoted", "deprecated", "version-marked", "reproduced")  # never a job's word
SKEW = timedelta(hours=1)  # between GitHub's clock and a runner's
WORKFLOW = re.compile(r".*/actions/runs/[0-9]+")


@dataclass(frozen=True)
class Incoming:
    """A run of the bundle, as its events fold. `is_new` is not set where the hub has all of them already."""

    run: Run
    is_new: bool


def incoming_runs(opened: Opened, ledger: Ledger, workflow: WorkflowRun) -> list[Incoming]:
    """Check the runs of the bundle against the hub's *ledger*. Raises RunhiveError with what is wrong first."""
    for path, content in opened.ledger.items():
        kind, faults = check_content(path, content)
        if kind not in KINDS or faults:
            raise refused(f"{path} {faults[0] if faults else 'is a path that no bundle has'}")
    parts = _by_run(opened)
    if set(parts) != set(opened.bundle.runs):
        raise refused("it has other runs than it names")
    return [_checked(run_id, parts[run_id], ledger, workflow) for run_id in sorted(parts)]


def _by_run(opened: Opened) -> dict[str, dict[str, bytes]]:
    parts: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    for path, content in opened.ledger.items():
        if path.startswith("runs/"):
            folder, _, name = path.partition(run_id := path.split("/")[4])
            parts[run_id][f"{folder}{run_id}{name}"] = content
    return parts


def _checked(run_id: str, files: Mapping[str, bytes], ledger: Ledger, workflow: WorkflowRun) -> Incoming:
    folder = f"{run_folder(run_id)}/events/"
    told = {path: Event.from_json(content) for path, content in files.items() if path.startswith(folder)}
    tree = tree_of(commit_at(ledger.repository))
    refuse_purged(tree, run_id)
    there = _content(tree, run_folder(run_id))
    if all(there.get(path) == content for path, content in files.items()):
        return Incoming(ledger.run(run_id), False)
    for path, event in told.items():
        _check_event(run_id, path, event, there, workflow)
    if not any(event.type == "started" for event in told.values()):
        raise refused(f"run {run_id} has no event that it started")
    run = fold(run_id, told.values())
    _check_launchers(run, workflow, set(there))
    if there:
        _check_extension(run, ledger.run(run_id), told.keys(), workflow)
    return Incoming(run, True)


def _check_event(run_id: str, path: str, event: Event, there: Mapping[str, bytes], workflow: WorkflowRun) -> None:
    if path in there:
        return
    if event.type in TRUSTED:
        raise refused(f"run {run_id} has an event {event.type!r}, which no job writes")
    latest = workflow.updated_at + SKEW
    begun = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    if max(datetime.fromisoformat(event.time), begun) > latest:
        raise refused(f"run {run_id} has times after the workflow run's end")


def _check_launchers(run: Run, workflow: WorkflowRun, there: set[str]) -> None:
    """What the run was started or resumed by is this workflow run, unless the hub knows it already."""
    strange = {url for url in launchers(run) if WORKFLOW.fullmatch(url)} - {workflow.html_url}
    if strange and not there:
        raise refused(f"run {run.run_id} belongs to another workflow run, {min(strange)}")


def _check_extension(new: Run, known: Run, paths: Sequence[str] | object, workflow: WorkflowRun) -> None:
    """A run that the hub has is added to by its own branch alone: by all that it had and more, or by a new attempt."""
    told = known.collected.get("workflow", {})
    mine = (workflow.head_branch, workflow.head_repository.full_name)
    if (told.get("branch"), told.get("repository")) != mine:
        owner = told.get("url") or "another clone"
        raise refused(f"run {known.run_id} is in the ledger already and belongs to {owner}")
    said = {(event.type, event.said(), event.time) for event in new.events}
    begun = [event for event in known.events if event.type == "started"]
    if any((event.type, event.said(), event.time) not in said for event in begun):
        raise refused(f"run {known.run_id} began otherwise in the ledger")
    lacking = [
        event
        for event in known.events
        if event.type not in (*MARKS, *TRUSTED) and (event.type, event.said(), event.time) not in said
    ]
    if lacking and known.state == "completed":
        raise refused(f"run {known.run_id} is complete in the ledger, with an event {lacking[0].type!r} that it lacks")


def _content(tree: pygit2.Tree | None, folder: str) -> dict[str, bytes]:
    return {
        f"{folder}/{part}/{entry.name}": bytes_of(entry)
        for part in ("events", "files")
        for entry in subtree(tree, f"{folder}/{part}") or ()
        if isinstance(entry, pygit2.Blob)
    }
