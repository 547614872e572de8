"""Small files in a DVC remote, beside the objects that DVC keeps there: `runhive/<name>` below the remote's address."""

import io
from collections.abc import Iterator
from configparser import ConfigParser, ParsingError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

FOLDER = "runhive"


@dataclass(frozen=True)
class RemoteFolder:
    """The folder of one DVC remote. What its store raises may be any class of its client library."""

    name: str
    fs: Any
    path: str

    def write(self, name: str, content: bytes) -> None:
        """Replace the file; on stores that can, readers see the old bytes or the new ones."""
        self.fs.put_file(io.BytesIO(content), self._path(name), size=len(content))

    def read(self, name: str, most: int) -> bytes:
        """Return the file's first *most* bytes. Raises FileNotFoundError where it is not there."""
        self.fs.fs.invalidate_cache()  # it changes, and its size with it
        with self.fs.open(self._path(name), "rb") as file:
            return bytes(file.read(most))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in *folder*; none where it is not there."""
        self.fs.fs.invalidate_cache()
        try:
            found = self.fs.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return []
        return sorted(f"{folder}/{self.fs.name(path)}" for path in found)

    def remove(self, name: str) -> None:
        """Remove the file, if it is still there."""
        with suppress(FileNotFoundError):
            self.fs.remove(self._path(name))

    def _path(self, name: str) -> str:
        return str(self.fs.join(self.path, FOLDER, *name.split("/")))


def has_default_remote(root: Path) -> bool:
    """Say whether the repository at *root* names a default DVC remote, without loading DVC."""
    config = ConfigParser(strict=False, interpolation=None)
    for name in ("config", "config.local"):
        with suppress(ParsingError):
            config.read(root / ".dvc" / name)
    return bool(config.get("core", "remote", fallback=""))


def default_remote(root: Path) -> RemoteFolder:
    """Return the folder of the default remote. Raises RunhiveError where there is none that can be used."""
    found = next(remote_folders(root), None)
    if found is None:
        raise RunhiveError("there is no DVC remote: `dvc remote add -d NAME URL` adds one")
    return found


def remote_folders(root: Path) -> Iterator[RemoteFolder]:
    """Yield the folder of each DVC remote, the default one first. Raises RunhiveError for one that cannot be used."""
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo

    try:
        repository = Repo(str(root))
        default = repository.config["core"].get("remote")
        for name in sorted(repository.config["remote"], key=lambda name: (name != default, name)):
            remote = repository.cloud.get_remote(name)
            yield RemoteFolder(name, remote.fs, remote.path)
    except NotDvcRepoError:
        return
    except (DvcException, ImportError) as error:
        told = one_line((str(error).splitlines() or [type(error).__name__])[0])
        raise RunhiveError(f"the DVC remote cannot be used ({told}): see `dvc remote list`") from error
