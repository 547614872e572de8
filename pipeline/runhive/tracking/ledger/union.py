"""The union of two ledgers' trees: the same whichever is first, however many are joined, however often."""

import pygit2
from pygit2.enums import FileMode

from runhive.errors import RunhiveError


def union(repository: pygit2.Repository, ours: pygit2.Tree, theirs: pygit2.Tree) -> pygit2.Oid:
    """Write the tree that holds what *ours* and *theirs* hold, and return its id.

    Events, files and stones are named by their content, so both sides' are taken. A picture's path can hold two
    contents, where another Pillow wrote one: the higher id is taken.
    Raises RunhiveError for a name of theirs that is not UTF-8.
    """
    if ours.id == theirs.id:
        return ours.id
    there = {entry.name: entry for entry in ours}
    builder = repository.TreeBuilder(ours)
    for entry in theirs:
        one = there.get(entry.name, entry)
        if isinstance(one, pygit2.Tree) and isinstance(entry, pygit2.Tree):
            _insert(builder, entry.name, union(repository, one, entry), FileMode.TREE)
        else:
            taken = max(one, entry, key=_rank)
            _insert(builder, entry.name, taken.id, taken.filemode)
    return builder.write()


def _rank(entry: pygit2.Object) -> tuple[bool, str, int]:
    return isinstance(entry, pygit2.Tree), str(entry.id), entry.filemode


def _insert(builder: pygit2.TreeBuilder, name: str | None, oid: pygit2.Oid, mode: int) -> None:
    assert name is not None
    try:
        builder.insert(name, oid, mode)
    except UnicodeEncodeError as error:
        raise RunhiveError(f"the other ledger holds {name!r}, a name that is not UTF-8: have it taken out") from error
