"""Annotated tags of the registry: read, written as objects first, and given a name here and at the remote once."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import ObjectType

from runhive.errors import RunhiveError
from runhive.tracking.git import run_git
from runhive.tracking.ledger.durable import sync_file_system
from runhive.tracking.ledger.objects import clear_stale_lock, flushing_refs, signature
from runhive.tracking.ledger.remote import LOST_RACE, Remote
from runhive.tracking.registry.names import TagName, parse_tag
from runhive.tracking.repository import common_folder

PLACE = "refs/tags/"
RUN, RECORD = "Runhive-Run", "Runhive-Record"
TRAILER = re.compile(rf"^({RUN}|{RECORD}): ([0-9a-f-]{{1,64}})$", re.MULTILINE)


@dataclass(frozen=True)
class Tag:
    """A tag as it is in the repository. `run_id` and `record` are empty where it was made by hand.

    `record` is the SHA-256 of what the event in the ledger says; `time` is in seconds since 1970.
    """

    name: TagName
    ref: str
    commit: str
    run_id: str
    record: str
    annotated: bool
    time: int


def read_tags(repository: pygit2.Repository) -> Iterator[Tag]:
    """Yield the registry's tags, in no order that means anything."""
    for ref in repository.references.iterator():
        parsed = parse_tag(ref.name.removeprefix(PLACE)) if ref.name.startswith(PLACE) else None
        if parsed is None:
            continue
        found = repository.get(ref.target)
        if isinstance(found, pygit2.Commit):
            yield Tag(parsed, ref.name.removeprefix(PLACE), str(found.id), "", "", False, 0)
        elif isinstance(found, pygit2.Tag):
            trailers = dict(TRAILER.findall(found.message or ""))
            when = found.tagger.time if found.tagger else 0
            yield Tag(
                parsed, ref.name.removeprefix(PLACE), str(found.target), trailers.get(RUN, ""),
                trailers.get(RECORD, ""), True, when,
            )  # fmt: skip


def write_tag(
    repository: pygit2.Repository, ref: str, commit: str, subject: str, run_id: str, record: str, after: int
) -> pygit2.Oid:
    """Write a tag object that has no name yet, later than *after*: GTO orders assignments by their time.

    Raises RunhiveError where it cannot be written.
    """
    who = signature(repository)
    tagger = pygit2.Signature(who.name, who.email, max(int(time.time()), after + 1), 0)
    header = (
        f"object {commit}\ntype commit\ntag {ref}\n"
        f"tagger {tagger.name} <{tagger.email}> {tagger.time} +0000\n\n"
        f"{subject}\n\n{RUN}: {run_id}\n{RECORD}: {record}\n"
    )
    try:
        return repository.odb.write(ObjectType.TAG, header.encode())
    except (pygit2.GitError, OSError) as error:
        raise _unwritten(ref, error) from error


def name_tag(repository: pygit2.Repository, remote: Remote | None, ref: str, oid: pygit2.Oid) -> bool:
    """Give the tag object *oid* its name, at *remote* first; False where another has that name.

    Whoever comes second at the remote is told so by git itself, and has nothing here either.
    """
    if remote is not None and not _pushed(remote, ref, oid):
        return False
    try:
        sync_file_system(common_folder(repository))
        with flushing_refs(repository) as flushing:
            flushing.create_reference(f"{PLACE}{ref}", oid)
    except (pygit2.AlreadyExistsError, ValueError):
        return repository.references[f"{PLACE}{ref}"].target == oid
    except (pygit2.GitError, OSError) as error:
        raise _unwritten(ref, error) from error
    return True


def _unwritten(ref: str, error: Exception) -> RunhiveError:
    return RunhiveError(f"the tag {ref} cannot be written ({error}): mend it, then do this again")


def clear_stale_locks(repository: pygit2.Repository) -> None:
    """Remove Git's locks on tags of ours that a killed process left. The caller holds the registry's lock."""
    folder = common_folder(repository) / PLACE
    for lock in folder.glob("*.lock"):
        if parse_tag(lock.stem):
            clear_stale_lock(lock)


def _pushed(remote: Remote, ref: str, oid: pygit2.Oid) -> bool:
    full = f"{PLACE}{ref}"
    words = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
    done = run_git(remote.repository, "push", *words, f"--force-with-lease={full}:", remote.name, f"{oid}:{full}")
    if done.returncode == 0:
        return True
    if any(reason in done.stdout + done.stderr for reason in LOST_RACE):
        return False
    raise remote.error(done)


def fetch_tags(remote: Remote) -> None:
    """Bring the remote's tags here. Raises RunhiveError where one here says something else."""
    words = ("fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags")
    done = run_git(remote.repository, *words, remote.name, f"{PLACE}*:{PLACE}*")
    if done.returncode == 0:
        return
    if "would clobber existing tag" in done.stderr:
        raise RunhiveError(
            f"a tag here says something else than the one of {remote.name}: "
            f"compare `git ls-remote --tags {remote.name}` with `git show-ref --tags`, then delete yours"
        )
    raise remote.error(done)
