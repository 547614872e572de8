"""The bytes of a version: from DVC's cache, from a remote that is a folder, or by way of DVC, checked by SHA-256."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser, ParsingError
from contextlib import suppress
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import atomic_path, sha256_of
from runhive.mistakes import one_line
from runhive.tracking.storage.artifacts import cached_path, own_path
from runhive.tracking.storage.dvc_store import Store

FETCHED = Path(".runhive/fetched")  # what is read once


def copy_object(root: Path, path: str, told: Mapping[str, Any], target: Path) -> None:
    """Write to *target* what a record *told* of the file *path*, whole or not at all.

    Raises RunhiveError where no place has these bytes. DVC itself is needed only for a remote that is no folder.
    """
    with atomic_path(target) as temporary:
        if found := _near(root, told):
            shutil.copyfile(found, temporary)
        else:
            Store(root).copy(told["md5"], path, temporary)
        if sha256_of(temporary) != told["sha256"]:
            raise RunhiveError(f"{one_line(path)} has other bytes than the record of it says: get it from elsewhere")


def read_object(root: Path, path: str, told: Mapping[str, Any]) -> bytes:
    """The bytes that a record *told* of the file *path*. Raises RunhiveError as `copy_object` does."""
    if found := _near(root, told):
        return found.read_bytes()
    fetched = root / FETCHED / f"{told['sha256']}.{os.getpid()}"
    copy_object(root, path, told, fetched)
    try:
        return fetched.read_bytes()
    finally:
        fetched.unlink()


def fault_of(root: Path, path: str, told: Mapping[str, Any]) -> str | None:
    """Why the bytes of a file are not to be had, or None where a place has them, read and hashed where it is near."""
    near = [place for place in _here(root, told["md5"]) if place.exists()]
    if any(_is(place, told) for place in near):
        return None
    if near:
        return f"{one_line(path)} is damaged in {near[0].parent.parent}"
    if (root / ".dvc").is_dir() and Store(root).has(told["md5"]):
        return None
    return f"{one_line(path)} ({told['md5'][:8]}) is in neither the DVC cache nor a remote"


def send(root: Path, md5s: Iterable[str]) -> str | None:
    """Push objects to the default DVC remote and return its name; None where the repository has no such remote."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    if not (root / ".dvc").is_dir():
        return None
    try:
        with Repo(str(root)) as repo:
            name = repo.config["core"].get("remote")
            if not name:
                return None
            here = [HashInfo("md5", md5) for md5 in sorted(set(md5s)) if repo.cache.local.exists(md5)]
            failed = repo.cloud.push(here, odb=repo.cloud.get_remote_odb(None, "push")).failed
    except (DvcException, OSError) as error:
        raise RunhiveError(
            f"the DVC remote does not take the model ({one_line((str(error).splitlines() or ['no reason'])[0])}): "
            "mend it, then register again"
        ) from error
    if failed:
        raise RunhiveError(f"{len(failed)} files did not reach the DVC remote {one_line(str(name))}: register again")
    return str(name)


def _near(root: Path, told: Mapping[str, Any]) -> Path | None:
    """The plain file that has these bytes."""
    return next((place for place in _here(root, told["md5"]) if _is(place, told)), None)


def _is(place: Path, told: Mapping[str, Any]) -> bool:
    return place.is_file() and place.stat().st_size == told["bytes"] and sha256_of(place) == told["sha256"]


def _here(root: Path, md5: str) -> Iterator[Path]:
    """Where the object may lie as a plain file: the cache, what was kept without DVC, remotes that are folders."""
    yield cached_path(root, md5)
    yield own_path(root, md5)
    for folder in _remote_folders(root / ".dvc"):
        yield folder / "files" / "md5" / md5[:2] / md5[2:]


def _remote_folders(dvc: Path) -> Iterator[Path]:
    config = ConfigParser(strict=False, interpolation=None)
    for name in ("config", "config.local"):
        with suppress(ParsingError):
            config.read(dvc / name)
    for section in config.sections():
        url = config.get(section, "url", fallback="") if "remote" in section else ""
        if url and "://" not in url:
            yield dvc / url
