"""Delete Git objects that nothing reaches any more, and only those."""

import platform
import re
from collections.abc import Iterable
from contextlib import suppress

import psutil
import pygit2

from runhive.tracking.git import git
from runhive.tracking.repository import common_folder

KEPT_BY = re.compile(r"(?:fetch|receive)-pack (\d{1,9}) on (.*)")  # as Git writes it


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
    _release_packs(repository)
    git(repository, "repack", "-A", "-d", "-l", "-q", *options)


def _release_packs(repository: pygit2.Repository) -> None:
    """Let go of the packs that a fetch or a push brought and keeps, for as long as it runs, if it was killed."""
    for keep in (common_folder(repository) / "objects" / "pack").glob("*.keep"):
        with suppress(FileNotFoundError):
            killed = KEPT_BY.fullmatch(keep.read_text(errors="replace").strip())
            if killed and killed[2] == platform.node() and not psutil.pid_exists(int(killed[1])):
                keep.unlink()
