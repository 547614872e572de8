"""What purges leave behind, noted until it is deleted, so that a kill in between leaves nothing.

A purge, here or in a clone that this one pulled from, makes the history again. What only the old one reached goes:
from the refs that remember other ledgers, from the index, from the disk.
"""

import json
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pygit2

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.discard import discard, held, reached, repack
from runhive.tracking.ledger.durable import make_durable
from runhive.tracking.ledger.index import forget_rows
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.objects import advance, commit_at, move_ref, tree_of
from runhive.tracking.ledger.rewriting import Rewriting
from runhive.tracking.ledger.stone import stones
from runhive.tracking.repository import common_folder

JOURNAL = "purging.json"
SEEN = "refs/runhive/remotes/"
LOCK_SECONDS = 600.0  # a push over a slow line, or a large repack


@contextmanager
def exclusive(repository: pygit2.Repository) -> Iterator[None]:
    """Let one process of this repository exchange, purge or pack at a time; nothing of a purged run is left after."""
    try:
        with file_lock(common_folder(repository) / "runhive" / "sync.lock", LOCK_SECONDS):
            _finish(repository)
            yield
            _finish(repository)
    except OSError as error:
        raise RunhiveError(f"the repository cannot be written ({error}): free the disk or mend permissions") from error


def note_purge(repository: pygit2.Repository, tips: Iterable[pygit2.Oid]) -> None:
    """Note the commits whose content is to be deleted once no ref reaches it. The caller is `exclusive`."""
    noted = _noted(repository)
    _note(repository, Noted(sorted({*noted.tips, *map(str, tips)}), noted.objects))


def _finish(repository: pygit2.Repository) -> None:
    """Delete what purges left behind, here or in another clone that this one pulled from.

    What lies in a pack that somebody marked to be kept stays, with a warning, until the mark is gone.
    """
    if not _journal(repository).exists():
        return
    noted = _noted(repository)
    marked = {} if noted.tips else held(repository, noted.objects)
    if not marked or set(noted.objects) - set().union(*marked.values()):
        _clean_remembered(repository)
        objects = _delete(repository)
        marked = held(repository, objects)
    if not marked:
        _journal(repository).unlink()
        return
    _note(repository, Noted([], sorted(set().union(*marked.values()))))
    for mark, inside in marked.items():
        warnings.warn(
            f"{len(inside)} objects of purged runs are still in {mark.with_suffix('.pack')}, which is marked to be "
            f"kept: delete {mark.name} beside it, then run `runhive runs gc`",
            stacklevel=2,
        )


def _clean_remembered(repository: pygit2.Repository) -> None:
    """Take purged runs out of what is remembered of the remotes' ledgers, of the index and of reflogs."""
    rewrite = Rewriting(repository, stones(tree_of(commit_at(repository))))
    remembered = {name: commit_at(repository, name) for name in repository.references if name.startswith(SEEN)}
    changed = {name: (seen.id, rewrite(seen.id)) for name, seen in remembered.items() if seen}
    changed = {name: (seen, cleaned) for name, (seen, cleaned) in changed.items() if seen != cleaned}
    note_purge(repository, [seen for seen, _ in changed.values()])
    for seen, cleaned in changed.values():
        make_durable(repository, cleaned, [seen])

    def step(_: pygit2.Commit | None) -> None:
        for name, (seen, cleaned) in changed.items():
            move_ref(repository, name, seen, cleaned, [cleaned])
        forget_rows(repository)
        for folder in ("runs", "runhive"):  # with core.logAllRefUpdates=always, reflogs still reach what was
            shutil.rmtree(common_folder(repository) / "logs" / "refs" / folder, ignore_errors=True)

    advance(repository, step)


def _delete(repository: pygit2.Repository) -> list[str]:
    """Delete of the objects that went all that nothing needs, and return the ids of them all.

    Packing takes long, so it is done before the ledger is locked; what was appended meanwhile keeps what it needs.
    """
    noted = _noted(repository)
    objects = list(dict.fromkeys([*noted.objects, *reached(repository, noted.tips)]))
    _note(repository, Noted(noted.tips, objects))  # when some are deleted, the tips no longer tell the others
    packed = commit_at(repository)
    repack(repository)

    def step(tip: pygit2.Commit | None) -> None:
        since = [str(tip.id), f"^{packed.id}"] if tip and packed else []
        needed = set(reached(repository, since))
        discard(repository, [oid for oid in objects if oid not in needed])

    advance(repository, step)
    return objects


@dataclass(frozen=True)
class Noted:
    """The journal: commits that went, and once that was found out, all objects that went with them."""

    tips: list[str]
    objects: list[str]


def _noted(repository: pygit2.Repository) -> Noted:
    path = _journal(repository)
    return Noted(**json.loads(path.read_bytes())) if path.exists() else Noted([], [])


def _note(repository: pygit2.Repository, noted: Noted) -> None:
    write_atomic(_journal(repository), json.dumps(asdict(noted)).encode())


def _journal(repository: pygit2.Repository) -> Path:
    return common_folder(repository) / "runhive" / JOURNAL
