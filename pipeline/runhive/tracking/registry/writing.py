"""How the registry is written: record first, tag second, so that a kill in between leaves nothing that counts.

A version, an alias or a deprecation is there when its tag is. The record is in the ledger before, and names itself to
the tag by its digest; a record without a tag is passed over by every reader, and the same command does it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.objects import signature
from runhive.tracking.ledger.remote import Remote, find_remote
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.sync import pull, push
from runhive.tracking.registry.catalog import Catalog, read_catalog
from runhive.tracking.registry.records import digest_of
from runhive.tracking.registry.tags import clear_stale_locks, fetch_tags, name_tag, write_tag
from runhive.tracking.repository import common_folder

LOCK_SECONDS = 600.0  # a gate may be at work under the lock


@dataclass(frozen=True)
class Registry:
    """A repository's registry, held by this process. `remote` is None where nothing goes anywhere."""

    ledger: Ledger
    root: Path
    remote: Remote | None

    def catalog(self) -> Catalog:
        return read_catalog(self.ledger)

    @property
    def by(self) -> str:
        """Who does it, as Git knows them."""
        who = signature(self.ledger.repository)
        return f"{who.name} <{who.email}>"

    def publish(self, run_id: str, event: Event, ref: str, commit: str, subject: str) -> None:
        """Keep *event* with the run, then give the tag *ref* its name, at the remote first.

        Raises RunhiveError where somebody else has that name meanwhile; then no tag was made.
        """
        repository = self.ledger.repository
        model = self.catalog().models.get(ref.partition("@")[0].partition("#")[0])
        self.ledger.append(run_id, [event])
        oid = write_tag(
            repository, ref, commit, subject, run_id, digest_of(event), model.last_time if model else 0
        )  # fmt: skip
        if self.remote:
            push(self.remote)
        if not name_tag(repository, self.remote, ref, oid):
            where = f"at {self.remote.name}" if self.remote else "here"
            raise RunhiveError(
                f"somebody else made {ref} {where} meanwhile, and yours was not made: see what it is, try again"
            )


@contextmanager
def registry_of(root: Path, pushed: bool = True) -> Iterator[Registry]:
    """Hold the registry of the repository at *root*, with what its Git remote has.

    Without a remote, or where *pushed* is not set, all stays here. Raises RunhiveError where the remote is not reached.
    """
    ledger = open_ledger(root)
    with file_lock(common_folder(ledger.repository) / "runhive" / "registry.lock", LOCK_SECONDS):
        clear_stale_locks(ledger.repository)
        remote = find_remote(ledger.repository, None) if pushed and len(ledger.repository.remotes) else None
        if remote:
            pull(remote)
            fetch_tags(remote)
        yield Registry(ledger, root, remote)
