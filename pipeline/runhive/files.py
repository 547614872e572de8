"""Write a file so that a reader sees the old bytes or the new ones, whatever is killed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO

from runhive.errors import RunhiveError


def write_atomic(path: Path, data: bytes) -> None:
    """Replace *path* by *data*; see `atomic_writer`."""
    with atomic_writer(path) as file:
        file.write(data)


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file whose bytes replace *path* at the end; see `atomic_path`."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield where to write what replaces *path* at the end: beside it, then fsync, rename, fsync of the folder.

    The name of the temporary file carries the process id, so two writers never share one.
    Raises RunhiveError when the disk is full or the folder cannot be written. Where the block fails, *path* stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunhiveError(
            f"{path} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames and new names in *folder* durable."""
    sync(folder)


def sync(path: Path) -> None:
    """Flush the file or folder *path* to the disk. Raises OSError, which names it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def reading(path: Path) -> Iterator[BufferedReader]:
    """Yield *path* to be read. An OSError names it, also where the disk fails after it was opened."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def read_whole(path: Path) -> bytes:
    """Return the bytes of *path*; see `reading`."""
    with reading(path) as file:
        return file.read()


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of the bytes of *path*; see `reading`."""
    with reading(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
