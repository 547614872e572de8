"""Write a file so that a reader sees the old bytes or the new ones, whatever is killed."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from runhive.errors import RunhiveError


def write_atomic(path: Path, data: bytes) -> None:
    """Replace *path* by *data*: temporary file beside it, fsync, rename, fsync of the folder.

    The name of the temporary file carries the process id, so two writers never share one.
    Raises RunhiveError when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise RunhiveError(
            f"{path} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make renames and new names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of the bytes of *path*."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
