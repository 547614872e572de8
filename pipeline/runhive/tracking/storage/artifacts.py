"""Files of a run that are too large for the ledger: kept in DVC's cache by hash, as `dvc push` could have put them."""

import hashlib
import os
import shutil
from configparser import ConfigParser, ParsingError
from contextlib import suppress
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import reading, sync_folder, write_atomic

CHUNK = 1 << 20
OWN = Path(".runhive/cache")


def cached_path(root: Path, md5: str) -> Path:
    """Return where the object of this MD5 lies in the cache of the repository at *root*."""
    return cache_folder(root) / "files" / "md5" / md5[:2] / md5[2:]


def own_path(root: Path, md5: str) -> Path:
    """Return where the object of this MD5 lies if it was kept while the repository had no DVC."""
    return root / OWN / "files" / "md5" / md5[:2] / md5[2:]


def cache_folder(root: Path) -> Path:
    """Return the DVC cache that the repository's configuration names; `.runhive/cache` without DVC."""
    dvc = root / ".dvc"
    if not dvc.is_dir():
        return root / OWN
    config = ConfigParser(strict=False, interpolation=None)
    for name in ("config", "config.local"):
        with suppress(ParsingError):
            config.read(dvc / name)
    return dvc / config.get("cache", "dir", fallback="cache")


def describe(content: bytes, kind: str = "file", ledger: str | None = None) -> dict[str, Any]:
    """Return what a `filed` event says of a file with this content."""
    return _entry(hashlib.md5(content, usedforsecurity=False), hashlib.sha256(content), len(content), kind, ledger)


def describe_file(path: Path, kind: str = "file") -> dict[str, Any]:
    """Return what a `filed` event says of the file *path*, which the cache holds or will hold."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with reading(path) as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
    return _entry(md5, sha256, size, kind, None)


def keep(root: Path, content: bytes, kind: str = "file") -> dict[str, Any]:
    """Put *content* into the cache and return what a `filed` event says of it."""
    entry = describe(content, kind)
    target = cached_path(root, entry["md5"])
    if not target.exists():
        write_atomic(target, content)
        target.chmod(0o444)
    return entry


def keep_file(root: Path, path: Path, kind: str = "file") -> dict[str, Any]:
    """Put a copy of the file *path* into the cache and return what a `filed` event says of it.

    Raises RunhiveError where it cannot be read or the cache cannot be written.
    """
    parent = cache_folder(root)
    temporary = parent / f".{os.getpid()}.{path.name[:50]}.tmp"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, temporary)
        entry = describe_file(temporary, kind)  # of the copy: the file may still grow
        target = cached_path(root, entry["md5"])
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o444)
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise RunhiveError(f"{path} cannot be kept ({error}): free the disk or mend permissions") from error
    return entry


def without_sha256(entry: dict[str, Any]) -> dict[str, Any]:
    """Return *entry* as it is filed of what no version of a model holds: there its MD5 is enough."""
    return {name: value for name, value in entry.items() if name != "sha256"}


def kept(root: Path, md5: str) -> bytes | None:
    """Return the content of this MD5 that the cache holds, whole and undamaged; None where it does not."""
    try:
        content = cached_path(root, md5).read_bytes()
    except OSError:
        return None
    return content if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5 else None


def _entry(md5: Any, sha256: Any, size: int, kind: str, ledger: str | None) -> dict[str, Any]:
    return {"bytes": size, "md5": md5.hexdigest(), "sha256": sha256.hexdigest(), "kind": kind, "ledger": ledger}
