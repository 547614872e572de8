"""The ledger's ref and trees, below what a run is: built without the index, moved by compare-and-swap, durable."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from runhive.errors import RunhiveError
from runhive.tracking.ledger.durable import make_durable, sync_file_system
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.repository import common_folder

REF = "refs/runs/main"
PARTIAL = (
    "the ledger lacks objects, as it does in a partial clone: "
    "run `git fetch --refetch --no-filter origin refs/runs/main`"
)
FORMAT = 1  # of the tree; a file `format` at its root says so once there is a second
LOCK_SECONDS = 60.0
STALE_SECONDS = 5.0  # Git holds a ref's lock for milliseconds
RETRY_SECONDS = 10.0  # longer than the age at which a lock counts as stale


class MissingObject(RunhiveError):
    """The ledger is here in part only."""


class RefMoved(Exception):
    """Another program moved the ref meanwhile: start again from where it is now."""


def bytes_of(blob: pygit2.Blob) -> bytes:
    """Return the bytes of *blob*. Raises MissingObject where a partial clone left them out."""
    try:
        return blob.data
    except KeyError as error:
        raise MissingObject(PARTIAL) from error


def content_of(repository: pygit2.Repository, oid: str) -> bytes:
    """Return the bytes of the blob *oid*. Raises MissingObject where a partial clone left it out."""
    try:
        found = repository[oid]
    except KeyError as error:
        raise MissingObject(PARTIAL) from error
    assert isinstance(found, pygit2.Blob)
    return bytes_of(found)


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


def signature(repository: pygit2.Repository) -> pygit2.Signature:
    """Return the repository's identity at this moment, or Runhive's own where it has none."""
    try:
        return repository.default_signature
    except (KeyError, ValueError):  # none set, or an empty one
        return pygit2.Signature("runhive", "runhive@localhost")


def write_commit(
    repository: pygit2.Repository, tree: pygit2.Oid, parents: Sequence[pygit2.Oid], message: str
) -> pygit2.Oid:
    """Write a commit that no ref reaches yet."""
    author = signature(repository)
    return repository.create_commit(None, author, author, message, tree, list(parents))


def commit_at(repository: pygit2.Repository, ref: str = REF) -> pygit2.Commit | None:
    """Return the commit that *ref* is at; None where there is no such ref."""
    reference = repository.references.get(ref)
    return reference.peel(pygit2.Commit) if reference else None


def tree_of(commit: pygit2.Commit | None) -> pygit2.Tree | None:
    """Return the ledger's tree at *commit*. Raises RunhiveError where a newer Runhive laid it out."""
    tree = commit.tree if commit else None
    found = blob_at(tree, "format")
    if found is not None and found.strip() != str(FORMAT).encode():
        shown = found[:20].decode(errors="replace").strip()
        raise RunhiveError(f"the ledger has format {shown!r}, this Runhive reads {FORMAT}: upgrade Runhive")
    return tree


def move_ref(
    repository: pygit2.Repository,
    ref: str,
    seen: pygit2.Oid | None,
    commit: pygit2.Oid,
    durable: Sequence[pygit2.Oid] = (),
) -> None:
    """Move *ref* from where it was *seen* to *commit*. When it returns, both outlive a power cut.

    *durable* are commits that do so already, as *seen* does. The caller holds the ledger's lock. It is tried again for
    RETRY_SECONDS while another program holds the ref.
    Raises RefMoved when another program moved it, RunhiveError when it stays held, OSError when the disk fails.
    """
    loose = common_folder(repository) / ref
    loose.parent.mkdir(parents=True, exist_ok=True)
    make_durable(repository, commit, [*([seen] if seen else []), *durable])
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        clear_stale_lock(loose.with_name(loose.name + ".lock"))
        try:
            with flushing_refs(repository) as flushing:
                reference = flushing.references.get(ref)
                if (reference.target if reference else None) != seen:
                    raise RefMoved(ref)
                if reference:
                    reference.set_target(commit)
                else:
                    flushing.create_reference(ref, commit)
            return
        except (pygit2.GitError, OSError) as error:
            if (moved := commit_at(repository, ref)) and moved.id == commit:  # only its folder was not flushed
                sync_file_system(common_folder(repository))
                return
            if time.monotonic() > deadline:
                raise RunhiveError(f"{ref} cannot be moved ({error}): end what holds it, then try again") from error
            time.sleep(random.uniform(0.01, 0.1))


def advance(
    repository: pygit2.Repository,
    step: Callable[[pygit2.Commit | None], pygit2.Oid | None],
    durable: Sequence[pygit2.Oid] = (),
) -> None:
    """Move the ledger to the commit that *step* makes of the one that it is at; nowhere where that is None.

    One process at a time; where plain Git moves the ref meanwhile, *step* is asked again. *durable* as in `move_ref`.
    """
    try:
        with file_lock(common_folder(repository) / "runhive" / "ledger.lock", LOCK_SECONDS):
            while True:
                seen = commit_at(repository)
                try:
                    if commit := step(seen):
                        move_ref(repository, REF, seen.id if seen else None, commit, durable)
                    return
                except RefMoved:
                    continue
    except OSError as error:
        raise RunhiveError(f"the ledger cannot be written ({error}): free the disk or mend permissions") from error


@contextmanager
def flushing_refs(repository: pygit2.Repository) -> Iterator[pygit2.Repository]:
    """Yield *repository* opened anew, so that libgit2 flushes each ref that is written there, before and after it
    renames it: it settles whether it does as a repository looks at a ref for the first time.
    """
    pygit2.settings.enable_fsync_gitdir(True)
    try:
        yield pygit2.Repository(repository.path)
    finally:
        pygit2.settings.enable_fsync_gitdir(False)


@contextmanager
def unhashed() -> Iterator[None]:
    """Let libgit2 read objects as Git does, without hashing each: zlib's sums tell damage, and `verify` hashes all."""
    pygit2.settings.enable_strict_hash_verification(False)
    try:
        yield
    finally:
        pygit2.settings.enable_strict_hash_verification(True)


def clear_stale_lock(lock: Path) -> None:
    """Remove the lock file of a process that was killed while it moved the ref, also if the clock went back since."""
    with suppress(FileNotFoundError):
        if abs(time.time() - lock.stat().st_mtime) > STALE_SECONDS:
            lock.unlink()
