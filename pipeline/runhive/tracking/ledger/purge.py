"""Take a run out for good: from the ledger, from its whole history and from the disk. A stone says who, when and why.

The history is made again without the run, and so are the refs that remember other ledgers. What only the old ones
reached is deleted; a journal names them until that is done, so a kill in between leaves nothing behind.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.discard import discard, reached
from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.index import forget_rows
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.objects import advance, bytes_of, commit_at, grow, move_ref, subtree, tree_of, write_commit
from runhive.tracking.ledger.rewriting import Rewriting
from runhive.tracking.ledger.run import run_folder, utc_now
from runhive.tracking.ledger.stone import Stone, refuse_purged, stones
from runhive.tracking.repository import common_folder

JOURNAL = "purging.json"
SEEN = "refs/runhive/remotes/"
REASON_LENGTH = 1000
LOCK_SECONDS = 600.0  # a push over a slow line, or a large repack


@contextmanager
def exclusive(repository: pygit2.Repository) -> Iterator[None]:
    """Let one process of this repository exchange, purge or pack at a time; nothing of a purged run is left after."""
    try:
        with file_lock(common_folder(repository) / "runhive" / "sync.lock", LOCK_SECONDS):
            _finish(repository)
            yield
            _finish(repository)
    except OSError as error:
        raise RunhiveError(f"the repository cannot be written ({error}): free the disk or mend permissions") from error


def purge(repository: pygit2.Repository, run_id: str, by: str, why: str) -> Stone:
    """Take the run out and return its stone. Raises RunhiveError where there is no such run."""
    with exclusive(repository):
        return _purge(repository, run_id, by, why)


def _purge(repository: pygit2.Repository, run_id: str, by: str, why: str) -> Stone:
    folder = run_folder(run_id)
    stone: Stone | None = None

    def step(tip: pygit2.Commit | None) -> pygit2.Oid | None:
        nonlocal stone
        tree = tree_of(tip)
        refuse_purged(tree, run_id)
        if tip is None or tree is None or subtree(tree, folder) is None:
            raise RunhiveError(f"no run {run_id!r} in the ledger: see `runhive runs list`")
        stone = Stone(
            run_id=run_id, by=by, time=utc_now(), why=why[:REASON_LENGTH], media=_own_media(repository, tip, run_id)
        )
        note_purge(repository, [tip.id])
        cleaned = Rewriting(repository, [*stones(tree), stone])(tip.id)
        blob = repository.create_blob(stone.to_json())
        with_stone = grow(repository, repository[cleaned].tree, {stone.path(): blob})
        return write_commit(repository, with_stone, [cleaned], f"{run_id}: purged\n")

    advance(repository, step)
    assert stone is not None
    return stone


def note_purge(repository: pygit2.Repository, tips: Iterable[pygit2.Oid]) -> None:
    """Note the commits whose content is to be deleted once no ref reaches it. The caller holds the ledger's lock."""
    noted = _noted(repository)
    _note(repository, Noted(sorted({*noted.tips, *map(str, tips)}), noted.objects))


def _finish(repository: pygit2.Repository) -> None:
    """Delete what purges left behind, here or in another clone that this one pulled from."""
    if not _journal(repository).exists():
        return

    def step(tip: pygit2.Commit | None) -> None:
        rewrite = Rewriting(repository, stones(tree_of(tip)))
        for name in [name for name in repository.references if name.startswith(SEEN)]:
            seen = commit_at(repository, name)
            if seen and (cleaned := rewrite(seen.id)) != seen.id:
                note_purge(repository, [seen.id])
                move_ref(repository, name, seen.id, cleaned)
        forget_rows(repository)
        for folder in ("runs", "runhive"):  # with core.logAllRefUpdates=always, reflogs still reach what was
            shutil.rmtree(common_folder(repository) / "logs" / "refs" / folder, ignore_errors=True)
        noted = _noted(repository)
        objects = list(dict.fromkeys([*noted.objects, *reached(repository, noted.tips)]))
        _note(repository, Noted(noted.tips, objects))  # when some are deleted, the tips no longer tell the others
        discard(repository, objects)
        _journal(repository).unlink()

    advance(repository, step)


@dataclass(frozen=True)
class Noted:
    """The journal: commits that went, and once that was found out, all objects that went with them."""

    tips: list[str]
    objects: list[str]


def _noted(repository: pygit2.Repository) -> Noted:
    path = _journal(repository)
    return Noted(**json.loads(path.read_bytes())) if path.exists() else Noted([], [])


def _note(repository: pygit2.Repository, noted: Noted) -> None:
    write_atomic(_journal(repository), json.dumps(asdict(noted)).encode())


def _journal(repository: pygit2.Repository) -> Path:
    return common_folder(repository) / "runhive" / JOURNAL


def _own_media(repository: pygit2.Repository, tip: pygit2.Commit, run_id: str) -> tuple[str, ...]:
    """The digests of the pictures that came with this run and that no other run speaks of."""
    candidates = set(_media_added_with(repository, tip, run_id))
    for path, folder in run_folders(tip.tree):
        if candidates and not path.endswith(run_id):
            candidates -= {
                sha256 for content in _contents(folder) for sha256 in candidates if sha256.encode() in content
            }
    return tuple(sorted(candidates))


def _media_added_with(repository: pygit2.Repository, tip: pygit2.Commit, run_id: str) -> Iterator[str]:
    folder = run_folder(run_id)
    for commit in repository.walk(tip.id, SortMode.TOPOLOGICAL):
        if len(commit.parents) > 1 or folder not in commit.tree:
            continue
        before = commit.parents[0].tree if commit.parents else None
        if subtree(before, folder) == commit.tree[folder]:
            continue
        here = _media(commit.tree)
        yield from here - _media(before)


def _media(tree: pygit2.Tree | None) -> set[str]:
    folders = [folder for folder in subtree(tree, "media") or () if isinstance(folder, pygit2.Tree)]
    return {str(entry.name).removesuffix(".jpg") for folder in folders for entry in folder}


def _contents(folder: pygit2.Tree) -> Iterable[bytes]:
    for entry in folder:
        if isinstance(entry, pygit2.Tree):
            yield from _contents(entry)
        elif isinstance(entry, pygit2.Blob):
            yield bytes_of(entry)
