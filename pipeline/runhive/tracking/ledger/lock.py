"""One writer at a time: a file lock that the kernel takes back from a dead holder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runhive.errors import RunhiveError

POLL_SECONDS = 0.02


class Locked(RunhiveError):
    """Another process holds the lock."""


@contextmanager
def file_lock(path: Path, wait: float | None, shared: bool = False) -> Iterator[None]:
    """Hold the lock on *path*, whose content is the holder's process id; a *shared* one beside others of its kind.

    Waits *wait* seconds at most, None for ever. Raises Locked naming the holder, RunhiveError where *path* cannot be
    written. The file stays: removing it would let two processes lock two files of one name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunhiveError(
            f"{path} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error
    try:
        _acquire(descriptor, path, wait, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        if not shared:
            _write_holder(descriptor, str(os.getpid()))
        try:
            yield
        finally:
            if not shared:
                _write_holder(descriptor, "")
            # Unlocked by name: a forked child shares the descriptor, and would hold on after a mere close.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait: float | None, kind: int) -> None:
    if wait is None:
        fcntl.flock(descriptor, kind)
        return
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
                raise Locked(f"{path} is locked by process {holder}: wait for it to end, or end it") from None
            time.sleep(POLL_SECONDS)


def _write_holder(descriptor: int, holder: str) -> None:
    with suppress(OSError):  # of a full disk: the lock holds without a name on it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
