"""Make Git objects outlive a power cut, at the least price: libgit2 leaves what it writes to the kernel."""

import ctypes
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from runhive.tracking.repository import common_folder

MANY = 2_000  # objects; more are flushed with the whole file system
AT_ONCE = 100  # files that are open together


def make_durable(repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> None:
    """Make *commit* durable with all that it reaches, given that all that the commits *known* reach is.

    What is new is flushed object by object, so that it does not wait for what other programs wrote. As in Git, a
    file's name is durable with it. Raises OSError.
    """
    objects = list(islice(_beyond(repository, commit, known), MANY + 1))
    if len(objects) > MANY:
        sync_file_system(common_folder(repository))
        return
    folder = common_folder(repository) / "objects"
    for first in range(0, len(objects), AT_ONCE):
        _flush(folder / oid[:2] / oid[2:] for oid in map(str, objects[first : first + AT_ONCE]))


def _beyond(repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> Iterator[pygit2.Oid]:
    """Yield the ids of *commit* and of all that it reaches and *known* do not; some of these may come too."""
    for made in _commits(repository, commit, known):
        yield made.id
        yield from _new([parent.tree for parent in made.parents], made.tree)


def _commits(repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> Iterable[pygit2.Commit]:
    if commit in known:
        return ()
    made = repository[commit].peel(pygit2.Commit)
    if set(made.parent_ids) <= set(known):
        return (made,)
    walker = repository.walk(commit, SortMode.TOPOLOGICAL)
    for one in known:
        walker.hide(one)
    return walker


def _new(before: Sequence[pygit2.Tree], after: pygit2.Tree) -> Iterator[pygit2.Oid]:
    """Yield the ids of *after* and of all in it that is in none of *before* at its place."""
    yield after.id
    known = [{entry.name: entry for entry in tree} for tree in before]
    for entry in after:
        old = [tree[entry.name] for tree in known if entry.name in tree]
        if any(one.id == entry.id for one in old):
            continue
        if isinstance(entry, pygit2.Tree):
            yield from _new([one for one in old if isinstance(one, pygit2.Tree)], entry)
        else:
            yield entry.id


def _flush(files: Iterable[Path]) -> None:
    """Flush *files* together: the disk has begun with each before the first is waited for."""
    with ExitStack() as stack:
        descriptors = []
        for file in files:
            with suppress(FileNotFoundError):  # in a pack, which Git flushed when it wrote it
                descriptors.append(os.open(file, os.O_RDONLY))
                stack.callback(os.close, descriptors[-1])
        if sys.platform == "linux":
            for descriptor in descriptors:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # which begins to write what is not written
        for descriptor in descriptors:
            os.fsync(descriptor)


def sync_file_system(folder: Path) -> None:
    """Flush all that any program wrote to the file system of *folder*. Raises OSError."""
    if sys.platform != "linux":
        os.sync()
        return
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed")
    finally:
        os.close(descriptor)
