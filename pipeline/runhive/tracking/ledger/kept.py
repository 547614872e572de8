"""The files of a run's folder: under a name of order and content, so that none replaces another.

Two clones' files are joined by taking both. The one in force of each name is the one of the highest order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pygit2

from runhive.errors import RunhiveError

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
KEPT_NAME = re.compile(r"([0-9]{4,9})-([0-9a-f]{8})-([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
DIGEST = 8  # hex digits of the Git id of the content
MOST_ORDER = 999_999_999  # the names have no room for more
EVENTS = "events.json"
BATCH_NAME = re.compile(rf"([0-9]{{4,9}})-([0-9a-f]{{8}})-{re.escape(EVENTS)}")


@dataclass(frozen=True, order=True)
class Kept:
    """One content of one file. `order` is that of the last event written with it, of EVENTS that of its first."""

    order: int
    id: str
    name: str

    def path(self) -> str:
        """Where it lies in the run's folder. Raises RunhiveError for an order under which nobody would find it."""
        if self.order > MOST_ORDER:
            raise RunhiveError(f"{self.name} cannot be kept as number {self.order:,} of its run: start a new run")
        return f"{self.order:04d}-{self.id[:DIGEST]}-{self.name}"


def check_name(name: str) -> None:
    """Raise RunhiveError for what is no name of a file."""
    if not FILE_NAME.fullmatch(name) or name == EVENTS:
        raise RunhiveError(f"{name!r} is no name for a file of a run: use letters, digits, '.', '_' and '-'")


def kept_files(folder: pygit2.Tree | None) -> list[Kept]:
    """Return all that was ever kept in the run's *folder* beside its events, oldest first."""
    return sorted(_kept(folder)) if folder else []


def _kept(folder: pygit2.Tree) -> Iterator[Kept]:
    for entry in folder:
        name = str(entry.name)
        if isinstance(entry, pygit2.Blob) and (found := KEPT_NAME.fullmatch(name)):
            if found[3] != EVENTS:
                yield Kept(int(found[1]), str(entry.id), found[3])
        elif isinstance(entry, pygit2.Tree) and name == "files":  # of the first ledgers
            yield from _kept(entry)


def in_force(folder: pygit2.Tree | None) -> dict[str, Kept]:
    """Return the file of each name that was kept last."""
    return {kept.name: kept for kept in kept_files(folder)}
