"""Take runs of another ledger as they are, byte by byte, and add events of one's own: one commit."""

from collections.abc import Mapping, Sequence

import pygit2

from runhive.tracking.ledger.entry import check_sizes, new_events, read_events
from runhive.tracking.ledger.kept import in_force
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import advance, grow, subtree, tree_of, write_commit
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.ledger.stone import refuse_purged


def adopt(ledger: Ledger, contents: Mapping[str, bytes], events: Mapping[str, Sequence[Event]]) -> bool:
    """Put *contents* in by their paths in the ledger's tree, then *events* by run id. Says whether anything was new.

    The caller has checked the contents. A path that is there keeps what it has.
    """
    check_sizes(contents)
    changed = False

    def step(tip: pygit2.Commit | None) -> pygit2.Oid | None:
        nonlocal changed
        before = tree_of(tip)
        for run_id in events:
            refuse_purged(before, run_id)
        tree = _with(ledger.repository, before, contents)
        for run_id, own in events.items():
            tree = _with(ledger.repository, tree, _written(tree, run_id, own))
        changed = tree is not None and (before is None or tree.id != before.id)
        if not changed or tree is None:
            return None
        message = f"{', '.join(events)}: collected\n"
        return write_commit(ledger.repository, tree.id, [tip.id] if tip else [], message)

    advance(ledger.repository, step)
    return changed


def _with(repository: pygit2.Repository, tree: pygit2.Tree | None, contents: Mapping[str, bytes]) -> pygit2.Tree | None:
    new = {path: content for path, content in contents.items() if tree is None or path not in tree}
    if not new:
        return tree
    blobs = {path: repository.create_blob(content) for path, content in new.items()}
    return repository[grow(repository, tree, blobs)].peel(pygit2.Tree)


def _written(tree: pygit2.Tree | None, run_id: str, events: Sequence[Event]) -> dict[str, bytes]:
    folder = run_folder(run_id)
    there = subtree(tree, folder)
    present = read_events(there, folder) if there else []
    order = max((kept.order for kept in in_force(there).values()), default=0)
    return {f"{folder}/events/{event.file_name()}": event.to_json() for event in new_events(present, events, order)}
