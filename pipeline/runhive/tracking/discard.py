"""Delete Git objects that nothing reaches any more, and only those."""

from collections.abc import Iterable
from contextlib import suppress

import pygit2

from runhive.tracking.git import git
from runhive.tracking.repository import common_folder


def reached(repository: pygit2.Repository, tips: Iterable[str]) -> list[str]:
    """Return the ids of the commits *tips* and of all that they reach, newest commits first."""
    words = ("rev-list", "--objects", "--missing=allow-any", "--ignore-missing", "--stdin")
    given = "".join(f"{tip}\n" for tip in tips)
    return [line.partition(" ")[0] for line in git(repository, *words, given=given).splitlines()] if given else []


def discard(repository: pygit2.Repository, objects: Iterable[str]) -> None:
    """Delete those of *objects* that no ref, reflog, worktree or index reaches: after the repack, those still loose.

    In the order given, so that while a commit is here, so is what it reaches.
    """
    repack(repository)
    folder = common_folder(repository) / "objects"
    for oid in objects:
        with suppress(FileNotFoundError):
            (folder / oid[:2] / oid[2:]).unlink()
    for graph in ("info/commit-graph", "info/commit-graphs/commit-graph-chain"):  # which may name what is gone
        (folder / graph).unlink(missing_ok=True)


def repack(repository: pygit2.Repository, *options: str) -> None:
    """Bring what is reached into one pack; what is not becomes loose. A kill leaves files that no one reads."""
    git(repository, "repack", "-A", "-d", "-l", "-q", *options)
