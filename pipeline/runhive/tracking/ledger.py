"""The ledger of runs: the Git ref `refs/runs/main`, whose tree holds a folder of events and files for each run.

It lies outside `refs/heads`, so a plain clone does not carry it, and no working tree is read or written.
"""

import random
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.entry import check_sizes, file_path, media_path, new_events, read_events
from runhive.tracking.lock import file_lock
from runhive.tracking.objects import (
    REF,
    MissingObject,
    blob_at,
    bytes_of,
    grow,
    move_ref,
    subtree,
    sync_ref,
    write_commit,
)
from runhive.tracking.repository import common_folder, main_root, open_repository
from runhive.tracking.row import Row, row_of
from runhive.tracking.run import RUN_ID, Event, Run, fold, run_folder

if TYPE_CHECKING:
    import pandas as pd

LOCK_SECONDS = 60.0
RETRY_SECONDS = 10.0  # longer than the age at which a lock counts as stale
NONE: Mapping[str, bytes] = MappingProxyType({})


def open_ledger(root: Path | None = None) -> "Ledger":
    """Open the ledger of the repository at *root*, by default the real one of the current folder."""
    return Ledger(open_repository(root or main_root()))


@dataclass(frozen=True)
class Ledger:
    """The runs of one repository."""

    repository: pygit2.Repository

    def append(
        self,
        run_id: str,
        events: Sequence[Event],
        files: Mapping[str, bytes] = NONE,
        media: Mapping[str, bytes] = NONE,
    ) -> tuple[Event, ...]:
        """Add to a run, in one commit, and return the events that were added, with the order they were given.

        *media* are pictures by the digest of the image that they show; one that is there already stays as it is.
        When it returns, what it added outlives a kill or a power cut. What is there already adds no commit.
        Raises RunhiveError for bad names, malformed events and files over the cap, and where the repository cannot
        be written; then nothing was added.
        """
        own = {file_path(run_id, name): content for name, content in files.items()}
        pictures = {media_path(sha256): content for sha256, content in media.items()}
        check_sizes(own | pictures)
        try:
            with file_lock(common_folder(self.repository) / "runhive" / "ledger.lock", LOCK_SECONDS):
                return self._append(run_id, events, own, pictures)
        except OSError as error:
            raise RunhiveError(f"the ledger cannot be written ({error}): free the disk or mend permissions") from error

    def _append(
        self, run_id: str, events: Sequence[Event], own: dict[str, bytes], pictures: dict[str, bytes]
    ) -> tuple[Event, ...]:
        folder = run_folder(run_id)
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            reference = self.repository.references.get(REF)
            tip = reference.peel(pygit2.Commit) if reference else None
            before = tip.tree if tip else None
            there = subtree(before, folder)
            added = tuple(new_events(read_events(there, folder) if there else [], events))
            written = {f"{folder}/events/{event.file_name()}": event.to_json() for event in added} | own
            written |= {path: picture for path, picture in pictures.items() if blob_at(before, path) is None}
            if not written:
                return ()
            blobs = {path: self.repository.create_blob(content) for path, content in written.items()}
            tree = grow(self.repository, before, blobs)
            if before and tree == before.id:
                return ()
            message = f"{run_id}: {', '.join(event.type for event in added) or 'files'}\n"
            commit = write_commit(self.repository, tree, tip.id if tip else None, message)
            try:
                move_ref(self.repository, reference, commit)
            except (pygit2.GitError, OSError) as error:
                if time.monotonic() > deadline:
                    raise RunhiveError(f"{REF} cannot be moved ({error}): end what holds it, then try again") from error
                time.sleep(random.uniform(0.01, 0.1))
                continue
            sync_ref(self.repository)
            return added

    def tip(self) -> str | None:
        """Return the commit that the ledger is at; None while it is empty."""
        reference = self.repository.references.get(REF)
        return str(reference.peel(pygit2.Commit).id) if reference else None

    def has(self, run_id: str) -> bool:
        """Say whether the run is in the ledger. Raises RunhiveError for what is no run id."""
        return subtree(self._tree(), run_folder(run_id)) is not None

    def run(self, run_id: str) -> Run:
        """Return the run of this id, or of the one id that begins with it.

        Raises RunhiveError where there is none, more than one, or a malformed event.
        """
        if RUN_ID.fullmatch(run_id) and (folder := subtree(self._tree(), run_folder(run_id))):
            return _read(run_folder(run_id), folder)
        folders = {path.rpartition("/")[2]: (path, folder) for path, folder in self._folders()}
        ids = [known for known in folders if run_id and known.startswith(run_id)]
        if len(ids) == 1:
            return _read(*folders[ids[0]])
        if ids:
            raise RunhiveError(f"{run_id!r} begins {len(ids)} run ids ({', '.join(ids[:3])}, …): give more of it")
        near = ", ".join(get_close_matches(run_id, folders)) or "none"
        raise RunhiveError(f"no run {run_id!r} in the ledger (near: {near}): see `runhive runs list`")

    def runs(self) -> list[Run]:
        """Return all runs, newest first. One with a malformed event is left out, with a warning that names the file."""
        return sorted(_readable(self._folders()), key=lambda run: (run.started_at, run.run_id), reverse=True)

    def table(self) -> "pd.DataFrame":
        """Return one row per run, newest first, with flat `params.*` and `metrics.*`."""
        from runhive.tracking.table import tabulate  # pandas takes a second to import, and training needs none

        return tabulate(self.rows())

    def rows(self) -> list[Row]:
        """Return one flat row per run, newest first."""
        return [row_of(run) for run in self.runs()]

    def file(self, run_id: str, name: str) -> bytes | None:
        """Return the content of a run's file; None where it has none of that name."""
        return blob_at(self._tree(), file_path(run_id, name))

    def files(self, run_id: str) -> dict[str, int]:
        """Return the bytes that each file of the run has, by name, without its events."""
        folder = subtree(self._tree(), run_folder(run_id)) or ()
        return {str(entry.name): len(bytes_of(entry)) for entry in folder if isinstance(entry, pygit2.Blob)}

    def media(self, sha256: str) -> bytes | None:
        """Return the picture of this digest; None where there is none."""
        return blob_at(self._tree(), media_path(sha256))

    def find_by_weights(self, sha256: str) -> Run | None:
        """Return the run that made or measured the weights of this digest: completed before others, then newest."""
        mentioned = ((path, folder) for path, folder in self._folders() if _mentions(folder, sha256))
        other = None
        for run in _readable(mentioned):
            if any(_weights(event) == sha256 for event in run.events):
                if run.state == "completed":
                    return run
                other = other or run
        return other

    def _tree(self) -> pygit2.Tree | None:
        reference = self.repository.references.get(REF)
        return reference.peel(pygit2.Commit).tree if reference else None

    def _folders(self) -> Iterator[tuple[str, pygit2.Tree]]:
        """Yield the path and folder of each run, newest first."""
        for year in _folders_in(subtree(self._tree(), "runs")):
            for month in _folders_in(year):
                for day in _folders_in(month):
                    for run in _folders_in(day):
                        yield f"runs/{year.name}/{month.name}/{day.name}/{run.name}", run


def _readable(folders: Iterable[tuple[str, pygit2.Tree]]) -> Iterator[Run]:
    for path, folder in folders:
        try:
            yield _read(path, folder)
        except MissingObject:
            raise
        except RunhiveError as error:
            warnings.warn(f"left out: {error}", stacklevel=3)


def _folders_in(tree: pygit2.Tree | None) -> list[pygit2.Tree]:
    return [entry for entry in reversed(list(tree or ())) if isinstance(entry, pygit2.Tree)]


def _read(path: str, folder: pygit2.Tree) -> Run:
    run_id = path.rpartition("/")[2]
    if not RUN_ID.fullmatch(run_id) or run_folder(run_id) != path:
        raise RunhiveError(f"{path!r} of the ledger is no run's folder")
    events = read_events(folder, path)
    if not events:
        raise RunhiveError(f"{path!r} of the ledger has no events")
    return fold(run_id, events)


def _mentions(folder: pygit2.Tree, sha256: str) -> bool:
    """Say whether an event of the run may be about *sha256*, far faster than by parsing it."""
    events = subtree(folder, "events") or ()
    return any(isinstance(entry, pygit2.Blob) and sha256.encode() in bytes_of(entry) for entry in events)


def _weights(event: Event) -> object:
    if event.type not in ("started", "trained", "evaluated"):
        return None
    return event.data.get("weights_sha256") or event.data.get("evaluation", {}).get("weights_sha256")
