"""The output of this process and its children, copied into a log while it goes where it went.

A forked child copies, so that what was printed is kept however this process ends. The terminal stays a terminal.
"""

import fcntl
import mmap
import os
import pty
import select
import signal
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.tracking.life.log_text import LogText

PIECE = 65_536
WHOLE = 20_000_000  # a log that is longer keeps its beginning, and its last pieces
LAST = 4
LINGER_SECONDS = 5.0  # for what a child that outlives this process still prints
ERROR_BYTES = 2_000


@dataclass
class Captured:
    """`error` is the last line on stderr: empty until the block is over, and where both streams go to one place."""

    error: str = ""


@contextmanager
def captured(path: Path) -> Iterator[Captured]:
    """Copy what stdout and stderr get during the block to *path*, as clean text.

    To be used before the process has threads: it forks. Raises RunhiveError where *path* cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunhiveError(
            f"{path} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error
    _flush()
    outer = [os.dup(1), os.dup(2)]
    together = os.path.samestat(os.fstat(1), os.fstat(2))  # one way keeps the order of their lines
    channels = [_channel(descriptor) for descriptor in (outer[:1] if together else outer)]
    found, last_error = Captured(), mmap.mmap(-1, ERROR_BYTES)  # the copier writes into it
    copier = os.fork()
    if copier == 0:
        for _, writer in channels:
            os.close(writer)
        _copy_and_exit([reader for reader, _ in channels], outer, log, last_error)
    os.close(log)
    for number, (_, writer) in zip((1, 2), channels * 2, strict=False):
        os.dup2(writer, number)
    for descriptor in {descriptor for channel in channels for descriptor in channel}:
        os.close(descriptor)
    try:
        yield found
    finally:
        _flush()
        for number, descriptor in enumerate(outer, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        _wait(copier)
        found.error = last_error[:].rstrip(b"\0").decode(errors="replace")
        last_error.close()


def _channel(outer: int) -> tuple[int, int]:
    """A reader and a writer: of a terminal like *outer* where that is one, of a pipe otherwise."""
    if not os.isatty(outer):
        return os.pipe()
    reader, writer = pty.openpty()
    with suppress(OSError):
        fcntl.ioctl(writer, termios.TIOCSWINSZ, fcntl.ioctl(outer, termios.TIOCGWINSZ, bytes(8)))
    attributes = termios.tcgetattr(writer)
    attributes[1] &= ~termios.ONLCR  # the terminal outside adds the carriage returns
    termios.tcsetattr(writer, termios.TCSANOW, attributes)
    return reader, writer


def _copy_and_exit(readers: list[int], outer: list[int], log: int, last_error: mmap.mmap) -> None:
    """Copy until the last writer is gone: signals are for the process that prints."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(0, 3)
    try:
        _copy(dict(zip(readers, outer, strict=False)), log, last_error)
    finally:
        os._exit(0)


def _copy(ways: dict[int, int], log: int, last_error: mmap.mmap) -> None:
    errors = list(ways)[1:]
    texts = {reader: LogText() for reader in ways}
    written, last = 0, deque[bytes](maxlen=LAST)
    waiting = set(ways)
    while waiting:
        for reader in select.select(list(waiting), [], [])[0]:
            piece = _read(reader)
            if not piece:
                waiting.discard(reader)
            with suppress(OSError):  # the terminal is gone, the log goes on
                _write(ways[reader], piece)
            text = (texts[reader].feed(piece) if piece else texts[reader].rest()).encode()
            if reader in errors and text.strip():
                last_error[:] = text.rstrip().splitlines()[-1][:ERROR_BYTES].ljust(ERROR_BYTES, b"\0")
            if written < WHOLE:
                with suppress(OSError):  # a full disk ends the log, not the program
                    _write(log, text)
            else:
                last.append(text)
            written += len(text)
    if last:
        _write(log, b"[the middle of the log is left out]\n" + b"".join(last))


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, PIECE)
    except OSError:  # how a terminal says that its last writer is gone
        return b""


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or nobody reads any more
            stream.flush()


def _wait(copier: int) -> None:
    """Let the copier end, so that what comes next is printed after it; not for ever, as children may live on."""
    deadline = time.monotonic() + LINGER_SECONDS
    while os.waitpid(copier, os.WNOHANG) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.002)
