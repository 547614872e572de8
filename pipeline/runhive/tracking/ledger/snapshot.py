"""The ledger as it was at one commit, whatever is appended meanwhile: what is read from it belongs together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import pygit2

from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.kept import Kept
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import commit_at, tree_of
from runhive.tracking.ledger.run import Run

AT_HAND = 64  # runs


@dataclass(frozen=True)
class Snapshot(Ledger):
    """`at` is the commit, None of an empty ledger. `absent` are the pictures that were asked for in vain.

    The runs that were asked for last are at hand: a run's page asks for its files one by one, and for its baseline.
    """

    at: str | None = None
    absent: set[str] = field(default_factory=set)

    def tip(self) -> str | None:
        return self.at

    def run(self, run_id: str) -> Run:
        return self._runs(run_id)

    def states(self) -> dict[str, str]:
        """Return what stands for all that the ledger holds of each run, by run id, newest first."""
        return {path.rpartition("/")[2]: str(folder.id) for path, folder in run_folders(self._tree())}

    def media(self, sha256: str) -> bytes | None:
        found = super().media(sha256)
        if found is None:
            self.absent.add(sha256)
        return found

    def has_media(self, sha256: str) -> bool:
        """Say whether there is a picture of this digest, without noting that it was asked for."""
        return super().media(sha256) is not None

    def _in_force(self, run_id: str) -> Mapping[str, Kept]:
        return self._files(run_id)

    def _enclosed(self, run_id: str) -> Mapping[str, bytes]:
        return self._texts(run_id)

    def _tree(self) -> pygit2.Tree | None:
        return self._root

    @cached_property
    def _root(self) -> pygit2.Tree | None:
        return tree_of(self.repository[self.at].peel(pygit2.Commit)) if self.at else None

    @cached_property
    def _runs(self) -> Callable[[str], Run]:
        return lru_cache(AT_HAND)(super().run)

    @cached_property
    def _files(self) -> Callable[[str], Mapping[str, Kept]]:
        return lru_cache(AT_HAND)(super()._in_force)

    @cached_property
    def _texts(self) -> Callable[[str], Mapping[str, bytes]]:
        return lru_cache(AT_HAND)(super()._enclosed)


def snapshot(ledger: Ledger, at: str | None = None) -> Snapshot:
    """Return *ledger* as it is now, or was at the commit *at*."""
    tip = commit_at(ledger.repository)
    return Snapshot(ledger.repository, at or (str(tip.id) if tip else None))
