"""What was made from one state of things, kept for the next build: files by their content, and small values.

A folder that may be deleted at any time. A file whose bytes are not what its name says is as good as absent. What five
builds in a row did not use is dropped.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from runhive.files import write_atomic

LIST = "made.json"
SPARED = 5  # builds


@dataclass(slots=True)
class Made:
    """What was made: `files` are paths in the site with the SHA-256 of their content, `value` is any JSON."""

    files: dict[str, str] = field(default_factory=dict)
    value: Any = None
    used: int = 0  # the number of the build that used it last


class Keep:
    """What is kept in one folder. Each key stands for all that its thing was made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.build, self._made = _read(folder / LIST)
        self.build += 1
        self._whole: dict[str, bool] = {}

    def value(self, key: str) -> Any:
        """The value made under *key*, or None."""
        made = self._made.get(key)
        if made is None:
            return None
        made.used = self.build
        return made.value

    def place(self, key: str, site: Path) -> Made | None:
        """Put the files made under *key* into *site*; None where they were not, or one of them is damaged."""
        made = self._made.get(key)
        if made is None or not all(self._is_whole(digest) for digest in made.files.values()):
            return None
        made.used = self.build
        for path, digest in made.files.items():
            link(self.file(digest), site / path)
        return made

    def put(self, key: str, made: Made) -> None:
        """Remember what was made under *key*; its files are here by now."""
        made.used = self.build
        self._made[key] = made

    def file(self, digest: str) -> Path:
        """Where the file of this content lies."""
        return self.folder / digest[:2] / digest

    def close(self) -> None:
        """Write down what is kept, and drop what has not been used for long."""
        kept = {key: made for key, made in self._made.items() if made.used > self.build - SPARED}
        content = {"build": self.build, "made": {key: [m.files, m.value, m.used] for key, m in kept.items()}}
        write_atomic(self.folder / LIST, to_json(content))
        if len(kept) < len(self._made):
            self._drop({digest for made in kept.values() for digest in made.files.values()})

    def _drop(self, listed: set[str]) -> None:
        for file in self.folder.glob("??/*"):
            if file.name not in listed:
                file.unlink(missing_ok=True)

    def _is_whole(self, digest: str) -> bool:
        """Say whether the file is there and what its name says; a damaged one is removed. Looked up once a build."""
        if digest not in self._whole:
            file = self.file(digest)
            self._whole[digest] = file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest
            if not self._whole[digest]:
                file.unlink(missing_ok=True)
        return self._whole[digest]


def take(folder: Path, site: Path, paths: list[str]) -> dict[str, str]:
    """Keep the files at *paths* of *site* in *folder*, and return their digests. Safe in several processes at once."""
    digests = {path: hashlib.sha256((site / path).read_bytes()).hexdigest() for path in paths}
    for path, digest in digests.items():
        link(site / path, folder / digest[:2] / digest)
    return digests


def key_of(*parts: object) -> str:
    """One key for all that *parts* say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _read(file: Path) -> tuple[int, dict[str, Made]]:
    try:
        content = from_json(file.read_bytes())
        return content["build"], {key: Made(*made) for key, made in content["made"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0, {}


def link(source: Path, target: Path) -> None:
    """Make *target* the same file as *source*, or a copy on another file system; one that is there stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        shutil.copyfile(source, target)
