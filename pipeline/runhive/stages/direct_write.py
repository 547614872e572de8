"""Write a large file past the page cache, hashed meanwhile.

A checkpoint is written often and hardly ever read. To find and fill pages of the kernel's for it took more processor
time than all the rest of it (measured).
"""

import errno
import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import FileIO
from pathlib import Path

BLOCK_BYTES = 8 * 2**20
DIRECT: int = getattr(os, "O_DIRECT", 0)  # Linux has it


def write_direct(path: Path, pieces: Iterable[memoryview]) -> str:
    """Write *pieces*, of bytes, one after the other to *path* and return their hex SHA-256. Raises OSError."""
    digest, block = hashlib.sha256(), memoryview(mmap.mmap(-1, BLOCK_BYTES))  # whose address the kernel accepts
    with FileIO(path, "w") as file, ThreadPoolExecutor(1) as meanwhile:
        _pass_cache(file, True)
        for size in _filled(block, pieces):
            hashed = meanwhile.submit(digest.update, block[:size])
            _write(file, block[:size])
            hashed.result()
    return digest.hexdigest()


def _filled(block: memoryview, pieces: Iterable[memoryview]) -> Iterator[int]:
    """Copy *pieces* into *block* and yield how many bytes it holds whenever it is full, and at the end."""
    size = 0
    for piece in pieces:
        while piece:
            part = piece[: len(block) - size]
            block[size : size + len(part)] = part
            piece, size = piece[len(part) :], size + len(part)
            if size == len(block):
                yield size
                size = 0
    yield size


def _write(file: FileIO, data: memoryview) -> None:
    """Write all of *data*; through the page cache where it is no whole block, or the file system wants it so."""
    if len(data) < BLOCK_BYTES:
        _pass_cache(file, False)
    while data:
        try:
            data = data[file.write(data) :]
        except OSError as error:
            if error.errno != errno.EINVAL or not _pass_cache(file, False):
                raise


def _pass_cache(file: FileIO, wanted: bool) -> bool:
    """Have the kernel write *file* past its cache, or not; say whether that was a change."""
    before = fcntl.fcntl(file, fcntl.F_GETFL)
    with suppress(OSError):  # not every file system can
        fcntl.fcntl(file, fcntl.F_SETFL, before | DIRECT if wanted else before & ~DIRECT)
    return fcntl.fcntl(file, fcntl.F_GETFL) != before
