"""Files by hash from DVC's cache and remotes, checked as they are read. The one module that calls DVC's Python code."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.storage.outputs import MD5

CHUNK = 1 << 20
LIST_BYTES = 500_000_000  # of a folder's list of files: about three million of them


@dataclass(frozen=True)
class Place:
    """The cache or one remote, by its name in messages."""

    name: str
    odb: Any

    def open(self, md5: str) -> BinaryIO:
        """Open the object of this hash. Raises FileNotFoundError where it is not here."""
        opened: BinaryIO = self.odb.fs.open(self.odb.oid_to_path(md5), "rb")
        return opened


class Store:
    """DVC's cache and remotes of the repository at *root*, the cache first, then the default remote."""

    def __init__(self, root: Path) -> None:
        from dvc.exceptions import DvcException, NotDvcRepoError
        from dvc.repo import Repo

        try:
            self.repository = Repo(str(root))
        except NotDvcRepoError:
            raise RunhiveError(f"{root} has no DVC, which keeps the run's files: run `dvc init`") from None
        except DvcException as error:
            raise RunhiveError(f"DVC cannot be used here ({_told(error)}): mend .dvc/config") from error

    @property
    def cache_folder(self) -> Path:
        """Where the cache lies."""
        return Path(self.repository.cache.local_cache_dir)

    def places(self) -> Iterator[Place]:
        """Yield the cache, then each remote, the default one first."""
        from dvc.exceptions import DvcException

        yield Place("the DVC cache", self.repository.cache.local)
        default = self.repository.config["core"].get("remote")
        for name in sorted(self.repository.config["remote"], key=lambda name: (name != default, name)):
            try:
                yield Place(f"the remote {name}", self.repository.cloud.get_remote_odb(name))
            except (DvcException, ImportError) as error:
                raise RunhiveError(f"the remote {one_line(name)} cannot be used ({_told(error)})") from error

    def has(self, md5: str) -> bool:
        """Say whether the cache or a remote has an object of this hash."""
        for place in self.places():
            with _reading(place, md5):
                if place.odb.exists(md5):
                    return True
        return False

    def copy(self, md5: str, path: str, target: Path) -> None:
        """Write the object of this hash to *target* from the first place that has it whole.

        Raises RunhiveError, naming *path*, where none has.
        """
        damaged = []
        for place in self.places():
            with _reading(place, path):
                try:
                    with place.open(md5) as source, target.open("wb") as file:
                        found = _copied(source, file)
                except FileNotFoundError:
                    continue
            if found == md5:
                return
            damaged.append(place.name)
        raise _absent(path, md5, damaged)

    def listing(self, md5: str, path: str) -> list[tuple[str, str]]:
        """The files of a folder as relative path and hash. Raises RunhiveError, naming *path*, where it is not here."""
        damaged = []
        for place in self.places():
            with _reading(place, path):
                try:
                    with place.open(md5) as source:
                        content = source.read(LIST_BYTES)
                except FileNotFoundError:
                    continue
            if _md5(content) == md5.removesuffix(".dir"):
                return _entries(content, path)
            damaged.append(place.name)
        raise _absent(path, md5, damaged)


@contextmanager
def _reading(place: Place, path: str) -> Iterator[None]:
    """Turn what a file system says into one line; only what concerns the place, not the disk that is written."""
    from dvc.exceptions import DvcException

    try:
        yield
    except (DvcException, OSError) as error:
        raise RunhiveError(f"{one_line(path)} cannot be copied from {place.name} ({_told(error)})") from error


def _copied(source: BinaryIO, file: BinaryIO) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest()


def _entries(content: bytes, path: str) -> list[tuple[str, str]]:
    try:
        found = [(entry["relpath"], entry["md5"]) for entry in json.loads(content)]
    except (ValueError, TypeError, KeyError):
        found = [(None, None)]
    if not all(isinstance(name, str) and isinstance(md5, str) and MD5.fullmatch(md5) for name, md5 in found):
        raise RunhiveError(f"{one_line(path)}: what DVC keeps under its hash is no list of files")
    return found


def md5_of(path: Path) -> str:
    """Return the hex MD5 of the bytes of *path*, which is how DVC names them."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _absent(path: str, md5: str, damaged: list[str]) -> RunhiveError:
    where = f", and damaged in {' and '.join(damaged)}" if damaged else ""
    return RunhiveError(
        f"{one_line(path)} ({md5[:8]}) is in neither the DVC cache nor a remote{where}: "
        "run `runhive runs push --files` where the run was made"
    )


def _told(error: Exception) -> str:
    return one_line((str(error).splitlines() or [type(error).__name__])[0])
