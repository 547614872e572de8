"""The ledger of runs: the Git ref `refs/runs/main`, whose tree holds a folder of events and files for each run.

It lies outside `refs/heads`, so a plain clone does not carry it, and no working tree is read or written.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import batch_name, in_batches, write_batch
from runhive.tracking.ledger.enclosed import ENCLOSED, ENCLOSURE, enclose, enclosed_files, is_changed
from runhive.tracking.ledger.entry import FILE_BYTES, check_sizes, media_path, new_events, read_events
from runhive.tracking.ledger.folders import read_run, run_folders
from runhive.tracking.ledger.index import read_months, read_rows
from runhive.tracking.ledger.kept import Kept, check_name, in_force
from runhive.tracking.ledger.objects import (
    MissingObject,
    advance,
    blob_at,
    commit_at,
    content_of,
    grow,
    subtree,
    tree_of,
    unhashed,
    write_commit,
)
from runhive.tracking.ledger.row import Row
from runhive.tracking.ledger.run import RUN_ID, Event, Run, run_folder
from runhive.tracking.ledger.stone import refuse_purged
from runhive.tracking.repository import main_root, open_repository

if TYPE_CHECKING:
    import pandas as pd

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
        for name in files:
            check_name(name)
        pictures = {media_path(sha256): content for sha256, content in media.items()}
        check_sizes({f"{run_folder(run_id)}/{name}": content for name, content in files.items()} | pictures)
        added: tuple[Event, ...] = ()

        def step(tip: pygit2.Commit | None) -> pygit2.Oid | None:
            nonlocal added
            before = tree_of(tip)
            refuse_purged(before, run_id)
            added, written = self._written(before, run_id, events, files)
            written |= {path: picture for path, picture in pictures.items() if blob_at(before, path) is None}
            if not written:
                return None
            blobs = {path: self.repository.create_blob(content) for path, content in written.items()}
            tree = grow(self.repository, before, blobs)
            told = [event.type for event in added if event.type != ENCLOSURE]
            message = f"{run_id}: {', '.join(told) or 'files'}\n"
            return write_commit(self.repository, tree, [tip.id] if tip else [], message)

        advance(self.repository, step)
        return added

    def adopt(
        self,
        contents: Mapping[str, bytes],
        events: Mapping[str, Sequence[Event]],
        files: Mapping[str, Mapping[str, bytes]] = MappingProxyType({}),
    ) -> bool:
        """Take *contents* of another ledger's tree as they are, then add *events* and *files* by run id: one commit.

        The caller has checked the contents; a path that is here keeps what it has. Says whether anything was new.
        """
        check_sizes(contents)
        is_new = False

        def step(tip: pygit2.Commit | None) -> pygit2.Oid | None:
            nonlocal is_new
            before = tree_of(tip)
            tree = self._with(before, contents)
            for run_id, own in events.items():
                refuse_purged(before, run_id)
                tree = self._with(tree, self._written(tree, run_id, own, files.get(run_id, NONE))[1])
            is_new = tree is not None and (before is None or tree.id != before.id)
            if tree is None or not is_new:
                return None
            return write_commit(self.repository, tree.id, [tip.id] if tip else [], f"{', '.join(events)}: collected\n")

        advance(self.repository, step)
        return is_new

    def _with(self, tree: pygit2.Tree | None, contents: Mapping[str, bytes]) -> pygit2.Tree | None:
        """*tree* with those of *contents* whose paths it has not."""
        new = {path: content for path, content in contents.items() if tree is None or path not in tree}
        if not new:
            return tree
        blobs = {path: self.repository.create_blob(content) for path, content in new.items()}
        return self.repository[grow(self.repository, tree, blobs)].peel(pygit2.Tree)

    def _written(
        self, before: pygit2.Tree | None, run_id: str, events: Sequence[Event], files: Mapping[str, bytes]
    ) -> tuple[tuple[Event, ...], dict[str, bytes]]:
        """Return the events that are new to the run, and what to write for them and for the files, by path."""
        folder = run_folder(run_id)
        there = subtree(before, folder)
        kept = in_force(there)
        present = read_events(there, folder) if there else []
        order = max([*(one.order for one in kept.values()), *(one.order for one in present)], default=0)
        enclosed = enclosed_files(present, kept)
        changed = {name: new for name, new in files.items() if is_changed(name, new, enclosed, kept)}
        enclosure = enclose(changed)
        others = [event for event in present if event.type != ENCLOSURE]  # what is enclosed was seen to have changed
        added = tuple(new_events(others, [*events, *enclosure], order))
        written = {}
        for batch in in_batches(added, FILE_BYTES):
            content = write_batch(batch)
            written[f"{folder}/{batch_name(batch[0].order, content)}"] = content
        order = added[-1].order if added else order + 1
        for name, content in changed.items():
            if not any(name in event.data["files"] for event in enclosure):
                written[f"{folder}/{Kept(order, str(pygit2.hash(content)), name).path()}"] = content
        return added, written

    def tip(self) -> str | None:
        """Return the commit that the ledger is at; None while it is empty."""
        commit = commit_at(self.repository)
        return str(commit.id) if commit else None

    def has(self, run_id: str) -> bool:
        """Say whether the run is in the ledger. Raises RunhiveError for what is no run id."""
        return subtree(self._tree(), run_folder(run_id)) is not None

    def run(self, run_id: str) -> Run:
        """Return the run of this id, or of the one id that begins with it.

        Raises RunhiveError where there is none, more than one, or a malformed event.
        """
        if RUN_ID.fullmatch(run_id) and (folder := subtree(self._tree(), run_folder(run_id))):
            return read_run(run_folder(run_id), folder)
        folders = {path.rpartition("/")[2]: (path, folder) for path, folder in self._folders()}
        ids = [known for known in folders if run_id and known.startswith(run_id)]
        if len(ids) == 1:
            return read_run(*folders[ids[0]])
        if ids:
            raise RunhiveError(f"{run_id!r} begins {len(ids)} run ids ({', '.join(ids[:3])}, …): give more of it")
        near = ", ".join(get_close_matches(run_id, folders)) or "none"
        raise RunhiveError(f"no run {run_id!r} in the ledger (near: {near}): see `runhive runs list`")

    def runs(self) -> list[Run]:
        """Return all runs, newest first. One with a malformed event is left out, with a warning that names the file."""
        with unhashed():
            return sorted(_readable(self._folders()), key=lambda run: (run.started_at, run.run_id), reverse=True)

    def table(self) -> "pd.DataFrame":
        """Return one row per run, newest first, with flat `params.*` and `metrics.*`."""
        from runhive.tracking.ledger.table import tabulate_months  # pandas takes a second, and training needs none

        return tabulate_months(read_months(self.repository, self._tree()))

    def rows(self) -> list[Row]:
        """Return one flat row per run, newest first, far faster than `runs`: read again is only what changed."""
        return read_rows(self.repository, self._tree())

    def file(self, run_id: str, name: str) -> bytes | None:
        """Return the content of a run's file as it was kept last; None where it has none of that name."""
        check_name(name)
        kept = self._in_force(run_id).get(name)
        enclosed = self._enclosed(run_id).get(name) if name in ENCLOSED else None
        return content_of(self.repository, kept.id) if kept and enclosed is None else enclosed

    def files(self, run_id: str) -> dict[str, int]:
        """Return the bytes that each file of the run has, by name, without its events."""
        sizes = {name: len(content_of(self.repository, one.id)) for name, one in self._in_force(run_id).items()}
        sizes |= {name: len(content) for name, content in self._enclosed(run_id).items()}
        return dict(sorted(sizes.items()))

    def media(self, sha256: str) -> bytes | None:
        """Return the picture of this digest; None where there is none."""
        return blob_at(self._tree(), media_path(sha256))

    def _in_force(self, run_id: str) -> Mapping[str, Kept]:
        return in_force(subtree(self._tree(), run_folder(run_id)))

    def _enclosed(self, run_id: str) -> Mapping[str, bytes]:
        return enclosed_files(self.run(run_id).events, self._in_force(run_id)) if self.has(run_id) else {}

    def _tree(self) -> pygit2.Tree | None:
        return tree_of(commit_at(self.repository))

    def _folders(self) -> Iterator[tuple[str, pygit2.Tree]]:
        return run_folders(self._tree())


def _readable(folders: Iterable[tuple[str, pygit2.Tree]]) -> Iterator[Run]:
    for path, folder in folders:
        try:
            yield read_run(path, folder)
        except MissingObject:
            raise
        except RunhiveError as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
