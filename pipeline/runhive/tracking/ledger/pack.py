"""Bring the ledger's objects into one pack: they come as a small file each, and take a tenth of the room together."""

import time
from dataclasses import dataclass

import pygit2

from runhive.tracking.git import git
from runhive.tracking.ledger.discard import repack
from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.journal import exclusive
from runhive.tracking.ledger.objects import REF, commit_at, tree_of
from runhive.tracking.repository import common_folder

UNREACHED = "2.weeks.ago"  # as `git gc`: what another program is about to reach is younger
WINDOW = 50  # objects that a new one is compared with; with Git's 10, a run takes 7 % more room
LEFT_SECONDS = 86_400.0  # after which a killed repack's file is nobody's


@dataclass(frozen=True)
class Size:
    """The ledger's runs, and the bytes on disk of all objects that it reaches, history included."""

    runs: int
    bytes: int


def pack(repository: pygit2.Repository) -> Size:
    """Pack the repository's objects, and return what the ledger takes. Nothing that a ref reaches is dropped."""
    with exclusive(repository):
        repack(repository, f"--window={WINDOW}", f"--unpack-unreachable={UNREACHED}")
        git(repository, "prune", f"--expire={UNREACHED}")
        for left in (common_folder(repository) / "objects" / "pack").glob(".tmp-*"):
            if abs(time.time() - left.stat().st_mtime) > LEFT_SECONDS:
                left.unlink()
    return size(repository)


def size(repository: pygit2.Repository) -> Size:
    """Measure the ledger."""
    tip = commit_at(repository)
    if tip is None:
        return Size(0, 0)
    used = int(git(repository, "rev-list", "--objects", "--disk-usage", REF))
    return Size(sum(1 for _ in run_folders(tree_of(tip))), used)
