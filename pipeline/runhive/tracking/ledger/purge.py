"""Take a run out for good: from the ledger, its whole history and the disk. A stone says who, when and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import SortMode

from runhive.errors import RunhiveError
from runhive.tracking.ledger.durable import make_durable
from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.journal import exclusive, note_purge
from runhive.tracking.ledger.objects import advance, bytes_of, commit_at, grow, subtree, tree_of, write_commit
from runhive.tracking.ledger.rewriting import Rewriting
from runhive.tracking.ledger.run import run_folder, utc_now
from runhive.tracking.ledger.stone import Stone, refuse_purged, stones

REASON_LENGTH = 1000


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
