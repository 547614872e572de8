"""Which kept files were seen to be whole, so that they need not be read again: as Git's index does it.

A file whose size, time of modification and inode are those of the last look is taken to have its bytes of then.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic_core import from_json, to_json

from runhive.files import write_atomic

Look = tuple[int, int, int]  # a file's size, time of modification in nanoseconds, and inode


class Seen:
    """The looks at files by the SHA-256 of their content, in a *file*; a damaged one is as good as none."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._looks = _read(file)

    def add(self, looks: Mapping[str, Look]) -> None:
        """Take in looks at files that were written with this content just now."""
        self._looks |= looks

    def is_whole(self, digest: str, path: str) -> bool:
        """Say whether the file at *path* is there and has this content; a damaged one is removed."""
        try:
            found = look(path)
            if self._looks.get(digest) == found:
                return True
            content = Path(path).read_bytes()
        except FileNotFoundError:  # maybe only now: another build may drop it
            return False
        if hashlib.sha256(content).hexdigest() != digest:
            Path(path).unlink(missing_ok=True)
            return False
        self._looks[digest] = found
        return True

    def forget(self, digest: str) -> None:
        """Drop what is known of a file that is gone."""
        self._looks.pop(digest, None)

    def close(self) -> None:
        """Write down what was seen."""
        body = to_json([[digest, *found] for digest, found in self._looks.items()])
        write_atomic(self.file, _seal(body) + b"\n" + body)


def look(path: str) -> Look:
    """Look at a file without reading it. Raises FileNotFoundError."""
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(file: Path) -> dict[str, Look]:
    try:
        seal, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if seal != _seal(body):
        return {}
    return {digest: (size, time, inode) for digest, size, time, inode in from_json(body)}


def _seal(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
