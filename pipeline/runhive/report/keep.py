"""What was made from one state of things, kept for the next build: files by their content, and small values.

A folder that may be deleted at any time. A list that is not whole is as good as none, and so is a file whose bytes are
not what its name says. What five builds in a row did not use is dropped.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from runhive.files import atomic_writer

LIST = "made.txt"
SPARED = 5  # builds


@dataclass(slots=True)
class Made:
    """What was made: `files` are paths in the site with the SHA-256 of their content, `value` is any JSON."""

    files: dict[str, str] = field(default_factory=dict)
    value: Any = None

    def to_json(self) -> bytes:
        return to_json([self.files, self.value])

    @classmethod
    def from_json(cls, content: bytes) -> "Made":
        return cls(*from_json(content))


class Keep:
    """What is kept in one folder. Each key stands for all that its thing was made from.

    The list has a line for each key: it, the number of the build that used it last, and what was made as JSON, which
    is parsed when it is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.build, self._made = _read(folder / LIST)
        self.build += 1
        self._whole: dict[str, bool] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._made

    def __getitem__(self, key: str) -> Made:
        """What was made under *key*."""
        _, content = self._made[key]
        self._made[key] = self.build, content
        return Made.from_json(content)

    def __setitem__(self, key: str, made: Made) -> None:
        """Remember what was made under *key*; its files are here by now."""
        self._made[key] = self.build, made.to_json()

    def place(self, made: Made, site: Path) -> bool:
        """Put the files of *made* into *site*; False where one of them is damaged or gone."""
        if not all(self._is_whole(digest) for digest in made.files.values()):
            return False
        for path, digest in made.files.items():
            link(_file(self.folder, digest), f"{site}/{path}")
        return True

    def close(self) -> None:
        """Write down what is kept, and drop what has not been used for long."""
        kept = {key: found for key, found in self._made.items() if found[0] > self.build - SPARED}
        with atomic_writer(self.folder / LIST) as file:
            file.write(b"%d %s\n" % (self.build, _seal(_lines(kept))))
            file.writelines(_lines(kept))
        if len(kept) < len(self._made):
            self._drop(digest for _, content in kept.values() for digest in Made.from_json(content).files.values())

    def _drop(self, listed: Iterable[str]) -> None:
        kept = set(listed)
        for file in self.folder.glob("??/*"):
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def _is_whole(self, digest: str) -> bool:
        """Say whether the file is there and what its name says; a damaged one is removed. Looked up once a build."""
        if digest not in self._whole:
            file = Path(_file(self.folder, digest))
            with suppress(FileNotFoundError):
                self._whole[digest] = hashlib.sha256(file.read_bytes()).hexdigest() == digest
            if not self._whole.setdefault(digest, False):
                file.unlink(missing_ok=True)
        return self._whole[digest]


def take(folder: Path, site: Path, path: str, content: bytes) -> str:
    """Keep the file at *path* of *site*, which has this *content*, and return its digest. Safe in several processes."""
    digest = hashlib.sha256(content).hexdigest()
    link(f"{site}/{path}", _file(folder, digest))
    return digest


def key_of(*parts: object) -> str:
    """One key for all that *parts* say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _file(folder: Path, digest: str) -> str:
    """Where the file of this content lies."""
    return f"{folder}/{digest[:2]}/{digest}"


def _lines(made: Mapping[str, tuple[int, bytes]]) -> Iterator[bytes]:
    return (b"%s %d %s\n" % (key.encode(), used, content) for key, (used, content) in made.items())


def _read(file: Path) -> tuple[int, dict[str, tuple[int, bytes]]]:
    try:
        head, *lines = file.read_bytes().splitlines(keepends=True)
        build, seal = head.split()
        if seal != _seal(lines):
            return 0, {}
        listed = (line.rstrip(b"\n").split(b" ", 2) for line in lines)
        return int(build), {key.decode(): (int(used), content) for key, used, content in listed}
    except (OSError, ValueError):
        return 0, {}


def _seal(lines: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest().encode()


def link(source: str | Path, target: str | Path) -> None:
    """Make *target* the same file as *source*, or a copy on another file system; one that is there stays."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        if not Path(target).parent.is_dir():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            link(source, target)
        else:
            shutil.copyfile(source, target)
