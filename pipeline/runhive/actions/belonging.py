"""Whose runs a bundle holds: those of this workflow run, which add to the hub's ledger and contradict nothing in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from tempfile import TemporaryDirectory

import pygit2

from runhive.actions.packing import launchers
from runhive.actions.reading import NotItsOwn, Opened, Refused, refused
from runhive.actions.workflow import WorkflowRun
from runhive.decode import Undecodable, open_image
from runhive.errors import RunhiveError
from runhive.tracking.ledger.entry import read_events
from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.kept import Kept, in_force, kept_files
from runhive.tracking.ledger.layout import check
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import commit_at, content_of, grow, subtree, tree_of
from runhive.tracking.ledger.run import Event, Run, fold, run_folder
from runhive.tracking.ledger.stone import refuse_purged

KINDS = ("events", "files", "pictures")  # of the ledger's paths, those that a job may write
MARKS = ("tagged", "noted", "named", "archived")  # what people add later
TRUSTED = ("collected", "versioned", "promoted", "deprecated", "version-marked", "reproduced")  # never a job's word
MOST_ORDER = 1_000_000  # far below the last that the ledger has names for: more is added later
MOST_SIDE = 1_024  # pixels; a run keeps pictures of 320
OF_THE_BUNDLE = ("state", "attempt", "ended_at", "cause", "traceback", "heartbeat", "exit_code", "events")
SKEW = timedelta(hours=1)  # between GitHub's clock and a runner's
WORKFLOW = re.compile(r".*/actions/runs/[0-9]+")


@dataclass(frozen=True)
class Part:
    """What a ledger's tree holds of a run: its events, all files that it ever kept, those in force with their bytes."""

    events: tuple[Event, ...]
    kept: frozenset[Kept]
    in_force: Mapping[Kept, bytes]

    def joined(self, other: "Part") -> "Part":
        """What a ledger has that takes both."""
        last = {one.name: one for one in sorted(self.kept | other.kept)}
        contents = {**self.in_force, **other.in_force}
        in_force = {one: contents[one] for one in last.values()}
        return Part((*self.events, *other.events), self.kept | other.kept, in_force)

    @property
    def files(self) -> Mapping[str, bytes]:
        """The content in force by the file's name."""
        return {kept.name: content for kept, content in self.in_force.items()}

    def said(self) -> set[tuple[str, str, str]]:
        """What the events say, whatever their order."""
        return {(event.type, event.said(), event.time) for event in self.events}


@dataclass(frozen=True)
class Incoming:
    """A run of the bundle, with its files, as the ledger will have it: what an earlier attempt left counts, too.

    How it ended is the bundle's word. `is_new` is not set where the hub has all of it already.
    """

    run: Run
    files: Mapping[str, bytes]
    is_new: bool


def incoming_runs(opened: Opened, ledger: Ledger, workflow: WorkflowRun) -> list[Incoming]:
    """Check the runs of the bundle against the hub's *ledger*. Raises RunhiveError with what is wrong first."""
    parts = _parts(opened)
    if set(parts) != set(opened.bundle.runs):
        raise refused("it has other runs than it names")
    return [_checked(run_id, parts[run_id], ledger, workflow) for run_id in sorted(parts)]


def _parts(opened: Opened) -> dict[str, Part]:
    """Read the bundle's runs as a ledger's, in a repository that is thrown away."""
    with TemporaryDirectory() as folder:
        scratch = pygit2.init_repository(folder, bare=True)
        blobs = {path: scratch.create_blob(content) for path, content in opened.ledger.items()}
        for path, blob in blobs.items():
            kind, *_, faults = check(path, scratch[blob].peel(pygit2.Blob))
            if kind not in KINDS or faults:
                raise refused(f"{path} {faults[0] if faults else 'is a path that no bundle has'}")
            if kind == "pictures" and not _is_small_jpeg(opened.ledger[path]):
                raise refused(f"{path} is no JPEG of at most {MOST_SIDE} pixels a side")
        tree = scratch[grow(scratch, None, blobs)].peel(pygit2.Tree)
        return {path.rpartition("/")[2]: _part(scratch, found, path) for path, found in run_folders(tree)}


def _is_small_jpeg(content: bytes) -> bool:
    """Its header is read alone: a reader's browser would decode all of it."""
    try:
        image = open_image(BytesIO(content))
    except Undecodable:
        return False
    return image.format == "JPEG" and max(image.size) <= MOST_SIDE


def _part(repository: pygit2.Repository, folder: pygit2.Tree, path: str) -> Part:
    contents = {kept: content_of(repository, kept.id) for kept in in_force(folder).values()}
    return Part(tuple(read_events(folder, path)), frozenset(kept_files(folder)), contents)


def _checked(run_id: str, part: Part, ledger: Ledger, workflow: WorkflowRun) -> Incoming:
    tree = tree_of(commit_at(ledger.repository))
    try:
        refuse_purged(tree, run_id)
    except RunhiveError as error:
        raise refused(str(error)) from None
    folder = subtree(tree, run_folder(run_id))
    there = _part(ledger.repository, folder, run_folder(run_id)) if folder else Part((), frozenset(), {})
    if (
        folder
        and set(map(Event.sort_key, part.events)) <= set(map(Event.sort_key, there.events))
        and part.kept <= there.kept
    ):
        return Incoming(ledger.run(run_id), there.files, False)
    if max([event.order for event in part.events] + [kept.order for kept in part.kept], default=0) > MOST_ORDER:
        raise refused(f"run {run_id} has an event or a file of an order over {MOST_ORDER:,}")
    if not any(event.type == "started" for event in part.events):
        raise refused(f"run {run_id} has no event that it started")
    known = there.said()
    for event in part.events:
        if (event.type, event.said(), event.time) not in known:
            _check_event(run_id, event, workflow)
    joined, told = there.joined(part), fold(run_id, part.events)
    run = replace(fold(run_id, joined.events), **{name: getattr(told, name) for name in OF_THE_BUNDLE})
    if folder:
        _check_extension(ledger.run(run_id), part.said(), workflow)
    elif strange := {url for url in launchers(run) if WORKFLOW.fullmatch(url)} - {workflow.html_url}:
        raise refused(f"run {run_id} belongs to another workflow run, {min(strange)}")
    elif min(datetime.fromisoformat(run.started_at), _begun(run_id)) < workflow.created_at - SKEW:
        raise refused(f"run {run_id} began before its workflow run")
    if not folder or workflow.html_url in launchers(run):
        _check_commit(run, workflow)
    _check_record(run, ledger)
    return Incoming(run, joined.files, True)


def _check_commit(run: Run, workflow: WorkflowRun) -> None:
    """What the workflow run made is of its commit: the check and the comment say so."""
    commit = run.code.get("commit")
    if commit not in (None, workflow.head_sha):
        told = f"run {run.run_id} says that it is of commit {str(commit)[:12]}"
        raise refused(f"{told}, its workflow run is of {workflow.head_sha[:12]}")


def _check_record(run: Run, ledger: Ledger) -> None:
    """A dvc.lock names its run by the digest of the run's record, so no two have the same."""
    record = run.training.get("record_md5")
    owner = next((row["run_id"] for row in ledger.rows() if record and row["record_md5"] == record), run.run_id)
    if owner != run.run_id:
        raise refused(f"run {run.run_id} says that its record is that of run {owner}")


def _check_event(run_id: str, event: Event, workflow: WorkflowRun) -> None:
    if event.type in TRUSTED:
        raise refused(f"run {run_id} has an event {event.type!r}, which no job writes")
    if max(datetime.fromisoformat(event.time), _begun(run_id)) > workflow.updated_at + SKEW:
        raise refused(f"run {run_id} has times after the workflow run's end")


def _begun(run_id: str) -> datetime:
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise refused(f"run {run_id} has an id that is no time") from None


def _check_extension(known: Run, said: set[tuple[str, str, str]], workflow: WorkflowRun) -> None:
    """A run that the hub has is added to by its own branch alone: by all that it had and more, or by a new attempt."""
    told = known.collected.get("workflow", {})
    mine = (workflow.head_branch, workflow.head_repository.full_name)
    own = [event for event in known.events if event.type not in (*MARKS, *TRUSTED)]
    lacking = [event.type for event in own if (event.type, event.said(), event.time) not in said]
    if (told.get("branch"), told.get("repository")) != mine:
        owner = told.get("url") or "another clone"
        advice = "change a parameter of train too, so that this branch has a run of its own"
        is_restored = known.state == "completed" and not lacking
        kind = NotItsOwn if is_restored else Refused
        raise refused(f"run {known.run_id} is in the ledger already and belongs to {owner}: {advice}", kind)
    if "started" in lacking:
        raise refused(f"run {known.run_id} began otherwise in the ledger")
    if lacking and known.state == "completed":
        raise refused(f"run {known.run_id} is complete in the ledger, with an event {lacking[0]!r} that it lacks")
