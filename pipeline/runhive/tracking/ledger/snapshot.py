"""The ledger as it was at one commit, whatever is appended meanwhile: what is read from it belongs together."""

from dataclasses import dataclass, field

import pygit2

from runhive.tracking.ledger.folders import run_folders
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import commit_at, tree_of


@dataclass(frozen=True)
class Snapshot(Ledger):
    """`at` is the commit, None of an empty ledger. `absent` are the pictures that were asked for in vain."""

    at: str | None = None
    absent: set[str] = field(default_factory=set)

    def tip(self) -> str | None:
        return self.at

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

    def _tree(self) -> pygit2.Tree | None:
        return tree_of(self.repository[self.at].peel(pygit2.Commit)) if self.at else None


def snapshot(ledger: Ledger, at: str | None = None) -> Snapshot:
    """Return *ledger* as it is now, or was at the commit *at*."""
    tip = commit_at(ledger.repository)
    return Snapshot(ledger.repository, at or (str(tip.id) if tip else None))
