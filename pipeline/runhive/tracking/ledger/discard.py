"""Delete Git objects that nothing reaches any more, and only those."""

import platform
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import pygit2

from runhive.tracking.git import git
from runhive.tracking.repository import common_folder

KEPT_BY = re.compile(r"(?:fetch|receive)-pack (\d{1,9}) on (.*)")  # as Git writes it


def reached(repository: pygit2.Repository, tips: Iterable[str]) -> list[str]:
    """Return the ids of the commits *tips* and of all that they reach, newest commits first; not what a `^tip` does."""
    words = ("rev-list", "--objects", "--missing=allow-any", "--ignore-missing", "--stdin")
    given = "".join(f"{tip}\n" for tip in tips)
    return [line.partition(" ")[0] for line in git(repository, *words, given=given).splitlines()] if given else []


def discard(repository: pygit2.Repository, objects: Iterable[str]) -> None:
    """Delete *objects* where they are loose, as what no ref, reflog, worktree or index reaches is after a repack.

    In the order given, so that while a commit is here, so is what it reaches.
    """
    folder = common_folder(repository) / "objects"
    loose = {path.parent.name + path.name for path in folder.glob("??/*")}
    for oid in objects:
        if oid in loose:
            (folder / oid[:2] / oid[2:]).unlink(missing_ok=True)
    for graph in ("info/commit-graph", "info/commit-graphs/commit-graph-chain"):  # which may name what is gone
        (folder / graph).unlink(missing_ok=True)


def repack(repository: pygit2.Repository, *options: str) -> None:
    """Bring what is reached into one pack; what is not becomes loose. A kill leaves files that no one reads."""
    _release_packs(repository)
    git(repository, "repack", "-A", "-d", "-l", "-q", *options)


def held(repository: pygit2.Repository, objects: Iterable[str]) -> dict[Path, set[str]]:
    """Return, by the file that marks a pack to be kept, those of *objects* in the pack that nothing needs."""
    wanted = set(objects)
    marks = (common_folder(repository) / "objects" / "pack").glob("*.keep")
    found = {mark: there for mark in sorted(marks) if (there := wanted & _in_pack(mark.with_suffix(".idx")))}
    if found:
        told = git(repository, "rev-list", "--objects", "--all", "--reflog", "--indexed-objects", "--missing=allow-any")
        needed = {line.partition(" ")[0] for line in told.splitlines()}
        found = {mark: there - needed for mark, there in found.items() if there - needed}
    return found


def _in_pack(index: Path) -> set[str]:
    if not index.exists():  # a fetch that goes on, and has only the mark yet
        return set()
    with index.open("rb") as file:
        told = subprocess.run(["git", "show-index"], stdin=file, check=True, capture_output=True, text=True).stdout
    return {line.split()[1] for line in told.splitlines()}


def _release_packs(repository: pygit2.Repository) -> None:
    """Let go of the packs that a fetch or a push brought and keeps, for as long as it runs, if it was killed."""
    for keep in (common_folder(repository) / "objects" / "pack").glob("*.keep"):
        with suppress(FileNotFoundError):
            killed = KEPT_BY.fullmatch(keep.read_text(errors="replace").strip())
            if killed and killed[2] == platform.node() and not psutil.pid_exists(int(killed[1])):
                keep.unlink()
