"""Exchange runs with a Git remote: fetch its ledger, join the two, push. Nothing is ever overwritten."""

import random
import time
from dataclasses import dataclass

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.durable import sync_file_system
from runhive.tracking.ledger.journal import exclusive, note_purge
from runhive.tracking.ledger.objects import REF, advance, commit_at, move_ref, tree_of, write_commit
from runhive.tracking.ledger.remote import Remote
from runhive.tracking.ledger.rewriting import Rewriting
from runhive.tracking.ledger.stone import stones
from runhive.tracking.ledger.union import union
from runhive.tracking.repository import common_folder

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds, each drawn anew, so that clones that met once meet no more
IDLE_TRIES = 5


@dataclass(frozen=True)
class Moved:
    """Where the ledger here was and is. `remote` is where the remote's was; None where it had none."""

    before: pygit2.Oid | None
    after: pygit2.Oid | None
    remote: pygit2.Oid | None


def pull(remote: Remote, restore: bool = False) -> Moved:
    """Take in the remote's runs.

    Raises RunhiveError where its ledger lost runs that it had when it was seen last; *restore* takes it as it is.
    """
    with exclusive(remote.repository):
        return _pull(remote, restore)


def push(remote: Remote, restore: bool = False) -> Moved:
    """Join the two ledgers, so that both sides have all runs; with *restore* also those that the remote lost.

    Tries again, with growing pauses, while other clones push too. Raises RunhiveError as `pull`, and where the ledger
    is empty or the remote refuses.
    """
    with exclusive(remote.repository):
        pause, idle, last = FIRST_PAUSE, 0, None
        while True:
            moved = _pull(remote, restore)
            if moved.after is None:
                raise RunhiveError("the ledger holds no run yet: start one with `dvc repro`")
            lost = remote.push(moved.after, moved.remote) if moved.after != moved.remote else None
            if lost is None:
                _remember(remote, moved.after)
                return moved
            idle = idle + 1 if moved.remote == last else 0  # nobody moved it, and still it is not to be had
            if idle == IDLE_TRIES and remote.unlock():
                idle = 0
            elif idle == IDLE_TRIES:
                raise RunhiveError(f"{remote.name}: git says: {lost}: it hides {REF}, or holds a lock on it")
            last = moved.remote
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, LONGEST_PAUSE)


def _pull(remote: Remote, restore: bool) -> Moved:
    repository = remote.repository
    tip, last = remote.tip(), commit_at(repository, remote.seen_ref())
    seen = None if restore else last
    if tip is None:
        if seen:
            raise _lost(remote, f"{REF} is gone")
        here = commit_at(repository)
        return Moved(here and here.id, here and here.id, None)
    if last is None or tip != last.id:
        remote.fetch(tip)
        sync_file_system(
            common_folder(repository)
        )  # before the ledger is locked: it can take as long as a disk is slow
    theirs = repository[tip].peel(pygit2.Commit)
    moved = Moved(None, None, tip)

    def step(ours: pygit2.Commit | None) -> pygit2.Oid | None:
        nonlocal moved
        rewrite = Rewriting(repository, [*stones(tree_of(ours)), *stones(tree_of(theirs))])
        cleaned = rewrite(tip)
        if seen and not _contains(repository, cleaned, rewrite(seen.id)):
            raise _lost(remote, f"{REF} was moved by force to {str(tip)[:8]}, which lacks them")
        own = rewrite(ours.id) if ours else cleaned
        if old := [old for old, new in ((tip, cleaned), (ours and ours.id, own)) if old and ours and old != new]:
            note_purge(repository, old)
        moved = Moved(ours and ours.id, _join(repository, own, cleaned), tip)
        return moved.after if moved.after != moved.before else None

    advance(repository, step, [tip])
    _remember(remote, tip)
    return moved


def _join(repository: pygit2.Repository, ours: pygit2.Oid, theirs: pygit2.Oid) -> pygit2.Oid:
    """Return the commit that has all of both, written where neither is."""
    if _contains(repository, ours, theirs):
        return ours
    if _contains(repository, theirs, ours):
        return theirs
    tree = union(repository, *(repository[one].peel(pygit2.Tree) for one in (ours, theirs)))
    return write_commit(repository, tree, [ours, theirs], "join two ledgers\n")


def _contains(repository: pygit2.Repository, tip: pygit2.Oid, commit: pygit2.Oid) -> bool:
    return tip == commit or repository.descendant_of(tip, commit)


def _lost(remote: Remote, how: str) -> RunhiveError:
    return RunhiveError(
        f"{remote.name} lost runs that it had: {how}. Nothing was changed: "
        f"ask who did it, then put them back with `runhive runs push {remote.name} --restore`"
    )


def _remember(remote: Remote, tip: pygit2.Oid) -> None:
    seen = commit_at(remote.repository, remote.seen_ref())
    if not seen or seen.id != tip:
        move_ref(remote.repository, remote.seen_ref(), seen.id if seen else None, tip, [tip])
