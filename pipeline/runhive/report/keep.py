"""What was made from one state of things, kept for the next build: files by their content, and small values.

A folder that may be deleted at any time. A list that is not whole is as good as none, and so is a file whose bytes are
not what its name says; they are read where its size, time or inode is another than before. What five builds in a row
did not use is dropped.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from runhive.files import atomic_writer
from runhive.report.seen import Look, Seen, look

LIST = "made.txt"
SEEN = "seen.txt"
SPARED = 5  # builds
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(slots=True)
class Made:
    """What was made: `files` are paths in the site with the SHA-256 of their content, `value` is any JSON.

    `looks` are at the files that were made just now, by digest; they are not kept with it.
    """

    files: dict[str, str] = field(default_factory=dict)
    value: Any = None
    looks: dict[str, Look] = field(default_factory=dict)

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
        self._seen = Seen(folder / SEEN)

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
        self._seen.add(made.looks)

    def place(self, made: Made, site: Path) -> bool:
        """Put the files of *made* into *site*; False where one of them is damaged or gone."""
        if not all(self._seen.is_whole(digest, _file(self.folder, digest)) for digest in made.files.values()):
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
        self._seen.close()

    def _drop(self, listed: Iterable[str]) -> None:
        kept = set(listed)
        for file in self.folder.glob("??/*"):
            if file.name not in kept:
                file.unlink(missing_ok=True)
                self._seen.forget(file.name)


def take(folder: Path, site: Path, contents: Mapping[str, bytes], value: Any = None) -> Made:
    """Keep the files of *site*, whose *contents* are given by path, as made with *value*. Safe in several processes."""
    made = Made(value=value)
    for path, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        if link(f"{site}/{path}", _file(folder, digest)):
            made.looks[digest] = look(f"{site}/{path}")
        made.files[path] = digest
    return made


def key_of(*parts: object) -> str:
    """One key for all that *parts* say."""
    return hashlib.sha256(ENCODER.encode(parts).encode()).hexdigest()


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


def link(source: str | Path, target: str | Path) -> bool:
    """Make *target* the same file as *source*, or a copy on another file system; one that is there stays.

    Says whether it is the same file.
    """
    try:
        os.link(source, target)
        return True
    except FileExistsError:
        return False
    except OSError:
        if not Path(target).parent.is_dir():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            return link(source, target)
        shutil.copyfile(source, target)
        return False
