"""The ledger's ref and trees, below what a run is: built without the index, moved by compare-and-swap, durable."""

import ctypes
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from runhive.errors import RunhiveError
from runhive.tracking.repository import common_folder

REF = "refs/runs/main"
STALE_SECONDS = 5.0  # Git holds a ref's lock for milliseconds


class MissingObject(RunhiveError):
    """The ledger is here in part only."""


def bytes_of(blob: pygit2.Blob) -> bytes:
    """Return the bytes of *blob*. Raises MissingObject where a partial clone left them out."""
    try:
        return blob.data
    except KeyError as error:
        raise MissingObject(
            "the ledger lacks objects, as it does in a partial clone: "
            "run `git fetch --refetch --no-filter origin refs/runs/main`"
        ) from error


def grow(repository: pygit2.Repository, tree: pygit2.Tree | None, blobs: Mapping[str, pygit2.Oid]) -> pygit2.Oid:
    """Write *tree* with *blobs* put in by their paths. Only the folders on the way are rewritten: O(change)."""
    builder = repository.TreeBuilder(tree) if tree else repository.TreeBuilder()
    below: defaultdict[str, dict[str, pygit2.Oid]] = defaultdict(dict)
    for path, blob in blobs.items():
        name, _, rest = path.partition("/")
        if rest:
            below[name][rest] = blob
        else:
            builder.insert(name, blob, FileMode.BLOB)
    for name, inner in below.items():
        builder.insert(name, grow(repository, subtree(tree, name), inner), FileMode.TREE)
    return builder.write()


def subtree(tree: pygit2.Tree | None, path: str) -> pygit2.Tree | None:
    """Return the folder *path* of *tree*; None where there is none."""
    entry = tree[path] if tree and path in tree else None
    return entry if isinstance(entry, pygit2.Tree) else None


def blob_at(tree: pygit2.Tree | None, path: str) -> bytes | None:
    """Return the content of the file *path* of *tree*; None where there is none."""
    entry = tree[path] if tree and path in tree else None
    return bytes_of(entry) if isinstance(entry, pygit2.Blob) else None


def write_commit(
    repository: pygit2.Repository, tree: pygit2.Oid, parent: pygit2.Oid | None, message: str
) -> pygit2.Oid:
    """Write a commit that no ref reaches yet, signed with the repository's identity or Runhive's own."""
    try:
        author = repository.default_signature
    except (KeyError, ValueError):  # none set, or an empty one
        author = pygit2.Signature("runhive", "runhive@localhost")
    return repository.create_commit(None, author, author, message, tree, [parent] if parent else [])


def move_ref(repository: pygit2.Repository, seen: pygit2.Reference | None, commit: pygit2.Oid) -> None:
    """Move the ref from where it was *seen* to *commit*, all of whose objects are durable by then.

    The caller holds the ledger's lock. Raises GitError or OSError when another program moved the ref or holds it.
    """
    loose = common_folder(repository) / REF
    loose.parent.mkdir(parents=True, exist_ok=True)
    _clear_stale_lock(loose.with_name(loose.name + ".lock"))
    _sync_file_system(loose.parent)
    if seen is None:
        repository.create_reference(REF, commit)
    else:
        seen.set_target(commit)


def sync_ref(repository: pygit2.Repository) -> None:
    """Make the ref's last move durable: libgit2 renames without an fsync."""
    loose = common_folder(repository) / REF
    with suppress(FileNotFoundError):  # `git pack-refs` was quicker, and syncs what it writes
        _sync(loose)
        _sync(loose.parent)


def _clear_stale_lock(lock: Path) -> None:
    """Remove the lock file of a process that was killed while it moved the ref."""
    with suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > STALE_SECONDS:
            lock.unlink()


def _sync_file_system(folder: Path) -> None:
    """Make the objects durable in one call: 4 ms measured, against 20 for an fsync of each."""
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
