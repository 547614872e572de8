"""Free the DVC cache, or a remote's, of what no commit and no kept run points at.

Plain `dvc gc` knows commits alone, and takes away the models of every run whose dvc.lock was never committed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB, get_index
from dvc_data.hashfile.gc import gc
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.life.outbox import outbox, outboxes

ALGORITHM = "md5"  # of DVC 3; a cache of DVC 2 is left alone


@dataclass(frozen=True)
class Freed:
    """What goes, or would go, of one store."""

    where: str
    objects: int
    bytes: int


def free(root: Path, ledger: Ledger, kept: Sequence[Run], remote: str | None, really: bool, missing: bool) -> Freed:
    """Free the cache, or *remote* where one is named; unless *really*, only count.

    Raises RunhiveError where a kept run's dvc.lock cannot be read, or a directory's listing is nowhere to be found,
    so that its files are not known; with *missing*, such a directory is passed over.
    """
    try:
        with Repo(str(root)) as repo, repo.lock:
            cache = repo.cache.local
            store = repo.cloud.get_remote_odb(remote, "gc", hash_name=ALGORITHM) if remote else cache
            pointed = [pointed_at(ledger, run) for run in kept]
            made = _committed(repo, ledger).union(_left(root), *(one.made for one in pointed))
            read = set().union(*(one.read for one in pointed)) - made
            stores = _stores(repo, store)
            used = made.union(
                read,
                *(within(listing, stores, missing) for listing in sorted(made) if listing.endswith(".dir")),
                *(within(listing, stores, missing=True) for listing in read if listing.endswith(".dir")),
            )
            unused = [md5 for md5 in store.all() if md5 not in used]
            size = sum(store.fs.size(store.oid_to_path(md5)) for md5 in unused)
            if really and unused:
                gc(store, [HashInfo(ALGORITHM, md5) for md5 in used])
                get_index(store).clear()
            return Freed(f"the remote {remote}" if remote else "the cache", len(unused), size)
    except DvcException as error:
        raise RunhiveError(f"DVC: {error}: nothing was freed") from error


def _committed(repo: Repo, ledger: Ledger) -> set[str]:
    """What the working tree points at, and the tip of every branch, remote branch, tag, stash and experiment."""
    found = repo.used_objs(revs=_tips(ledger.repository))
    return {info.value for infos in found.values() for info in infos if info.name == ALGORITHM and info.value}


def _tips(repository: pygit2.Repository) -> list[str]:
    names = [name for name in repository.references if not name.startswith(("refs/runs/", "refs/runhive/"))]
    pointed = [repository.references[name].peel() for name in ["HEAD", *names] if name in repository.references]
    return sorted({str(commit.id) for commit in pointed if isinstance(commit, pygit2.Commit)})


@dataclass(frozen=True)
class Pointed:
    """What a run's stages made, and what they read: of that DVC stores what it tracks, and nothing of the code."""

    made: set[str]
    read: set[str]


def pointed_at(ledger: Ledger, run: Run) -> Pointed:
    """What the run's dvc.lock points at, and the files that the run keeps outside of that."""
    filed = {str(file["md5"]) for file in run.files.values() if file.get("kept") is not False}
    try:
        lock = YAML(typ="safe").load(ledger.file(run.run_id, "dvc.lock") or b"") or {}
        stages = lock.get("stages", {}).values()
        return Pointed(made=_hashes(stages, "outs") | filed, read=_hashes(stages, "deps"))
    except (YAMLError, AttributeError, TypeError) as error:
        raise RunhiveError(
            f"the dvc.lock of run {run.run_id} cannot be read, so what it points at is not known: archive it"
        ) from error


def _hashes(stages: Iterable[Mapping[str, Any]], side: str) -> set[str]:
    return {str(item[ALGORITHM]) for stage in stages for item in stage.get(side, ()) if ALGORITHM in item}


def _left(root: Path) -> set[str]:
    """What runs of this machine left that the ledger has not taken up."""
    events = [event for run_id in outboxes(root) for event in outbox(root, run_id).events().values()]
    return {str(file["md5"]) for event in events for file in event.data.get("files", {}).values()}


def within(listing: str, stores: Iterable[HashFileDB], missing: bool) -> set[str]:
    """What the directory *listing* lists, from the first of *stores* that has it."""
    for store in stores:
        try:
            return {str(info.value) for _, _, info in Tree.load(store, HashInfo(ALGORITHM, listing))}
        except (FileNotFoundError, ObjectFormatError):
            continue
    if missing:
        return set()
    raise RunhiveError(
        f"the directory listing {listing} is neither in the cache nor in the remote, so what it lists is not known: "
        "push it from where it was made, or pass it over with --allow-missing"
    )


def _stores(repo: Repo, store: HashFileDB) -> list[HashFileDB]:
    """Where listings are looked up: the cache, what is freed, and the default remote where there is one."""
    has_default = bool(repo.config["core"].get("remote"))
    default = [repo.cloud.get_remote_odb(None, "gc", hash_name=ALGORITHM)] if has_default else []
    return [repo.cache.local, store, *default]
