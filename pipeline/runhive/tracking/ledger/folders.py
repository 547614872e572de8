"""The folders of the runs in the ledger's tree."""

from collections.abc import Collection, Iterator

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.entry import read_events
from runhive.tracking.ledger.objects import subtree
from runhive.tracking.ledger.run import RUN_ID, Run, fold, run_folder


def months(tree: pygit2.Tree | None) -> Iterator[tuple[str, pygit2.Tree]]:
    """Yield the path and folder of each month that has runs, newest first."""
    for year in _folders_in(subtree(tree, "runs")):
        for month in _folders_in(year):
            yield f"runs/{year.name}/{month.name}", month


def runs_of(path: str, month: pygit2.Tree) -> Iterator[tuple[str, pygit2.Tree]]:
    """Yield the path and folder of each run of the *month* at *path*, newest first."""
    for day in _folders_in(month):
        for run in _folders_in(day):
            yield f"{path}/{day.name}/{run.name}", run


def run_folders(tree: pygit2.Tree | None) -> Iterator[tuple[str, pygit2.Tree]]:
    """Yield the path and folder of each run, newest first."""
    for path, month in months(tree):
        yield from runs_of(path, month)


def read_run(path: str, folder: pygit2.Tree, but: Collection[str] = ()) -> Run:
    """Read the run whose *folder* lies at *path*. Raises RunhiveError where it is none, or names a malformed event.

    Events of the types in *but* are left out of a run that says how it started.
    """
    run_id = path.rpartition("/")[2]
    if not RUN_ID.fullmatch(run_id) or run_folder(run_id) != path:
        raise RunhiveError(f"{path!r} of the ledger is no run's folder")
    events = read_events(folder, path, but)
    if but and not any(event.type == "started" for event in events):
        events = read_events(folder, path)
    if not events:
        raise RunhiveError(f"{path!r} of the ledger has no events")
    return fold(run_id, events)


def _folders_in(tree: pygit2.Tree | None) -> list[pygit2.Tree]:
    return [entry for entry in reversed(list(tree or ())) if isinstance(entry, pygit2.Tree)]
