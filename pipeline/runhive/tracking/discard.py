"""Delete Git objects that nothing reaches any more, and only those."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.repository import common_folder


def discard(repository: pygit2.Repository, tips: Sequence[str]) -> int:
    """Delete what the commits *tips* reach and no ref, reflog, worktree or index does. Return the number of objects.

    After the repack whatever is reached is in a pack, and what is loose is reached by nothing.
    """
    listed = git(
        repository, "rev-list", "--objects", "--missing=allow-any", "--ignore-missing", "--stdin", given="\n".join(tips)
    )
    objects = [line.partition(" ")[0] for line in listed.splitlines()]
    repack(repository)
    folder = common_folder(repository) / "objects"
    gone = 0
    for oid in objects:  # commits first, newest first: a tip that is here has all that it reaches
        with suppress(FileNotFoundError):
            (folder / oid[:2] / oid[2:]).unlink()
            gone += 1
    for graph in ("info/commit-graph", "info/commit-graphs/commit-graph-chain"):  # which may name what is gone
        (folder / graph).unlink(missing_ok=True)
    return gone


def repack(repository: pygit2.Repository, *options: str) -> None:
    """Bring what is reached into one pack; what is not becomes loose. A kill leaves files that no one reads."""
    git(repository, "repack", "-A", "-d", "-l", "-q", *options)


def git(repository: pygit2.Repository, *words: str, given: str = "") -> str:
    """Run git in the repository and return what it prints. Raises RunhiveError with git's reason."""
    command = ["git", f"--git-dir={common_folder(repository)}", *words]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, errors="replace", env=os.environ | {"LC_ALL": "C"}
    )
    if done.returncode != 0:
        raise RunhiveError(f"git {words[0]} failed: {done.stderr.strip().splitlines()[-1:] or 'no reason given'}")
    return done.stdout
