"""The files that a run left: how large each is, where it lies, and the command that fetches it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runhive.tracking.ledger.run import Run

MOST_FILES = 200
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./=@-]{0,199}")  # a path that a shell takes as one word


@dataclass(frozen=True)
class File:
    """`place` is the ledger, DVC or nowhere; `command` is empty where the path is none for a line to be copied."""

    path: str
    kind: str
    bytes: int
    place: str
    command: str


@dataclass(frozen=True)
class Files:
    """The first of *total* files, and what all of them take."""

    shown: tuple[File, ...]
    total: int
    bytes: int


def kept_files(run: Run, in_ledger: Mapping[str, int]) -> Files:
    """List what *run* filed, and what else the ledger has of it, by path."""
    named = {file.get("ledger") for file in run.files.values()}
    found = [
        (path, str(file.get("kind", "file")), file["bytes"], _place(file, in_ledger))
        for path, file in run.files.items()
    ]
    found += [(name, "file", size, "ledger") for name, size in in_ledger.items() if name not in named]
    files = [File(path, kind, size, place, _command(run.run_id, path)) for path, kind, size, place in sorted(found)]
    return Files(tuple(files[:MOST_FILES]), len(files), sum(file.bytes for file in files))


def _place(file: Mapping[str, object], in_ledger: Mapping[str, int]) -> str:
    """Of a long log the ledger has the last part only."""
    if in_ledger.get(str(file.get("ledger"))) == file["bytes"]:
        return "ledger"
    return "not kept" if file.get("kept") is False else "DVC"


def _command(run_id: str, path: str) -> str:
    return f"runhive runs download {run_id} {path}" if PLAIN.fullmatch(path) and ".." not in path else ""
