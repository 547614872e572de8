"""Push and pull, told in a line."""

from collections import Counter
from pathlib import Path

import pygit2

from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.objects import tree_of
from runhive.tracking.ledger.remote import find_remote
from runhive.tracking.ledger.sync import pull, push


def push_runs(name: str | None, restore: bool, root: Path | None = None) -> str:
    """Push to the remote, and say how many runs went and came."""
    repository = open_ledger(root).repository
    remote = find_remote(repository, name)
    moved = push(remote, restore)
    went, came = _told(repository, moved.remote, moved.after), _told(repository, moved.before, moved.after)
    return f"to {remote.name}: {went}; from it: {came}"


def pull_runs(name: str | None, restore: bool, root: Path | None = None) -> str:
    """Pull from the remote, and say how many runs came."""
    repository = open_ledger(root).repository
    remote = find_remote(repository, name)
    moved = pull(remote, restore)
    if moved.remote is None:
        return f"{remote.name} has no ledger yet: `runhive runs push` makes one"
    return f"from {remote.name}: {_told(repository, moved.before, moved.after)}"


def pull_everything(repository: pygit2.Repository) -> None:
    """Take in the runs and the branches of every remote, before what none of them needs is deleted for all."""
    for known in repository.remotes:
        remote = find_remote(repository, known.name)
        pull(remote)
        remote.fetch_branches()


def _told(repository: pygit2.Repository, before: pygit2.Oid | None, after: pygit2.Oid | None) -> str:
    old, new = _runs(repository, before), _runs(repository, after)
    kinds = Counter("new" if path not in old else "changed" for path in new if new[path] != old.get(path))
    kinds["purged"] = len(old.keys() - new.keys())
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count) or "nothing new"


def _runs(repository: pygit2.Repository, commit: pygit2.Oid | None) -> dict[str, pygit2.Oid]:
    tree = tree_of(repository[commit].peel(pygit2.Commit)) if commit else None
    return {path: folder.id for path, folder in run_folders(tree)}
