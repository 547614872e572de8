"""The numbers that a run's own code logs: one JSON line for each call, in a file that is opened once."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from runhive.errors import RunhiveError


class ScalarLog:
    """Appends lines to *path*. When a call returns, the kernel has the line, so no kill of the process loses it.

    Each line is one write at the file's end, so processes and threads may share it, also forked ones.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._closed = False

    def write(self, values: dict[str, float], step: int | None, seconds: float) -> None:
        """Append one line. Raises RunhiveError where the disk refuses it, and after `close`."""
        if self._closed:
            raise RunhiveError(f"run {self._path.parent.name} has ended: log before the end of its `with` block")
        try:
            told = {"step": step, "seconds": round(seconds, 3), "values": values}
            line = to_json(told, inf_nan_mode="constants") + b"\n"
            descriptor = self._descriptor
            if descriptor is None or os.fstat(descriptor).st_nlink == 0:  # what was there has been taken up
                descriptor = self._open()
            if os.write(descriptor, line) < len(line):
                self._release()  # the next line begins after the torn one
                raise OSError(None, "the disk is full")
        except PydanticSerializationError as error:
            raise RunhiveError(f"{[*values]!r} are no names of numbers: use text") from error
        except OSError as error:
            raise RunhiveError(f"{self._path} cannot be written ({error.strerror}): free the disk") from error

    def close(self) -> None:
        """Take no more."""
        self._closed = True
        self._release()

    def _open(self) -> int:
        self._release()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":  # a kill or a full disk tore the last line
            os.write(self._descriptor, b"\n")
        return self._descriptor

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_scalars(path: Path) -> list[dict[str, Any]]:
    """Return what was logged, in order; lines that a kill or a full disk cut short are left out."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return [line for line in map(_parse, lines) if line is not None]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
        return {"step": found["step"], "seconds": found["seconds"], "values": dict(found["values"])}
    except (ValueError, KeyError, TypeError):
        return None
