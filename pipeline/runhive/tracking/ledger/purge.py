"""Take a run out for good: from the ledger, from its whole history and from the disk. A stone says who, when and why.

The history is made again without the run, and so are the refs that remember other ledgers. What only the old ones
reached is deleted; a journal names them until that is done, so a kill in between leaves nothing behind.
"""

import json
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.discard import discard, held, reached, repack
from runhive.tracking.ledger.durable import make_durable
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
        # First without the ledger's lock: it takes seconds for each thousand runs, and appends wait for the lock.
        made = _without(repository, commit_at(repository), run_id, by, why)
        make_durable(repository, made.commit, [made.tip])

        def step(tip: pygit2.Commit | None) -> pygit2.Oid | None:
            nonlocal made
            if tip is None or tip.id != made.tip:
                made = _without(repository, tip, run_id, by, why, made)
            note_purge(repository, [made.tip])
            blob = repository.create_blob(made.stone.to_json())
            with_stone = grow(repository, repository[made.commit].peel(pygit2.Tree), {made.stone.path(): blob})
            return write_commit(repository, with_stone, [made.commit], f"{run_id}: purged\n")

        advance(repository, step, [made.commit])
        return made.stone


@dataclass(frozen=True)
class Without:
    """The history that ended in *tip*, made again without a run: it ends in *commit*."""

    tip: pygit2.Oid
    commit: pygit2.Oid
    stone: Stone
    rewriting: Rewriting


def _without(
    repository: pygit2.Repository, tip: pygit2.Commit | None, run_id: str, by: str, why: str,
    before: Without | None = None,
) -> Without:  # fmt: skip
    """Make the history again; of that which was made *before*, only what came since. Raises RunhiveError as `purge`."""
    folder, tree = run_folder(run_id), tree_of(tip)
    refuse_purged(tree, run_id)
    if tip is None or tree is None or subtree(tree, folder) is None:
        raise RunhiveError(f"no run {run_id!r} in the ledger: see `runhive runs list`")
    media = _own_media(repository, tip, run_id)
    if before and before.stone.media == media:
        stone, rewriting = before.stone, before.rewriting
    else:
        stone = Stone(run_id=run_id, by=by, time=utc_now(), why=why[:REASON_LENGTH], media=media)
        rewriting = Rewriting(repository, [*stones(tree), stone])
    return Without(tip.id, rewriting(tip.id), stone, rewriting)


def note_purge(repository: pygit2.Repository, tips: Iterable[pygit2.Oid]) -> None:
    """Note the commits whose content is to be deleted once no ref reaches it. The caller is `exclusive`."""
    noted = _noted(repository)
    _note(repository, Noted(sorted({*noted.tips, *map(str, tips)}), noted.objects))


def _finish(repository: pygit2.Repository) -> None:
    """Delete what purges left behind, here or in another clone that this one pulled from.

    What lies in a pack that somebody marked to be kept stays, with a warning, until the mark is gone.
    """
    if not _journal(repository).exists():
        return
    noted = _noted(repository)
    marked = {} if noted.tips else held(repository, noted.objects)
    if not marked or set(noted.objects) - set().union(*marked.values()):
        _clean_remembered(repository)
        objects = _delete(repository)
        marked = held(repository, objects)
    if not marked:
        _journal(repository).unlink()
        return
    _note(repository, Noted([], sorted(set().union(*marked.values()))))
    for mark, inside in marked.items():
        warnings.warn(
            f"{len(inside)} objects of purged runs are still in {mark.with_suffix('.pack')}, which is marked to be "
            f"kept: delete {mark.name} beside it, then run `runhive runs gc`",
            stacklevel=2,
        )


def _clean_remembered(repository: pygit2.Repository) -> None:
    """Take purged runs out of what is remembered of the remotes' ledgers, of the index and of reflogs."""
    rewrite = Rewriting(repository, stones(tree_of(commit_at(repository))))
    for name in [name for name in repository.references if name.startswith(SEEN)]:
        seen = commit_at(repository, name)
        if seen and (cleaned := rewrite(seen.id)) != seen.id:
            note_purge(repository, [seen.id])
            move_ref(repository, name, seen.id, cleaned)
    forget_rows(repository)
    for folder in ("runs", "runhive"):  # with core.logAllRefUpdates=always, reflogs still reach what was
        shutil.rmtree(common_folder(repository) / "logs" / "refs" / folder, ignore_errors=True)


def _delete(repository: pygit2.Repository) -> list[str]:
    """Delete of the objects that went all that nothing needs, and return the ids of them all.

    Packing takes long, so it is done before the ledger is locked; what was appended meanwhile keeps what it needs.
    """
    noted = _noted(repository)
    objects = list(dict.fromkeys([*noted.objects, *reached(repository, noted.tips)]))
    _note(repository, Noted(noted.tips, objects))  # when some are deleted, the tips no longer tell the others
    packed = commit_at(repository)
    repack(repository)

    def step(tip: pygit2.Commit | None) -> None:
        since = [str(tip.id), f"^{packed.id}"] if tip and packed else []
        needed = set(reached(repository, since))
        discard(repository, [oid for oid in objects if oid not in needed])

    advance(repository, step)
    return objects


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
