"""Make Git objects outlive a power cut, at the least price: libgit2 leaves what it writes to the kernel."""

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pygit2

from runhive.files import sync
from runhive.tracking.repository import common_folder

AT_ONCE = 12  # more than the new objects of a usual append
MUCH_BYTES = 32_000_000  # that the kernel still has to write, for any program
MEMORY = Path("/proc/meminfo")


def make_durable(repository: pygit2.Repository, seen: pygit2.Oid | None, commit: pygit2.Oid) -> None:
    """Make *commit* durable with all that it reaches, given that what *seen* reaches is. Raises OSError.

    The whole file system is flushed in one call, unless *commit* comes right after *seen* and other programs wrote
    much: then its few objects are, all at once. As in Git, a file's name is durable with it.
    """
    made = repository[commit].peel(pygit2.Commit)
    if made.parent_ids != ([seen] if seen else []) or not _much_to_write():
        sync_file_system(common_folder(repository))
        return
    before = repository[seen].peel(pygit2.Tree) if seen else None
    folder = common_folder(repository) / "objects"
    files = [folder / str(oid)[:2] / str(oid)[2:] for oid in (commit, *_new(before, made.tree))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_sync, files))


def _much_to_write() -> bool:
    """Say whether a flush of all would wait for other programs' files; yes where the kernel does not tell."""
    found = re.search(rb"^Dirty: +(\d+) kB$", MEMORY.read_bytes(), re.MULTILINE) if MEMORY.exists() else None
    return found is None or 1024 * int(found[1]) > MUCH_BYTES


def _new(before: pygit2.Tree | None, after: pygit2.Tree) -> Iterator[pygit2.Oid]:
    """Yield the ids of *after* and of all in it that *before* lacks."""
    yield after.id
    known = {entry.name: entry for entry in before or ()}
    for entry in after:
        old = known.get(entry.name)
        if old and old.id == entry.id:
            continue
        if isinstance(entry, pygit2.Tree):
            yield from _new(old if isinstance(old, pygit2.Tree) else None, entry)
        else:
            yield entry.id


def _sync(path: Path) -> None:
    with suppress(FileNotFoundError):  # in a pack, which Git flushed when it wrote it
        sync(path)


def sync_file_system(folder: Path) -> None:
    """Flush all that any program wrote to the file system of *folder*."""
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
