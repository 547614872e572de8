"""Read a bundle that a stranger may have made: only what the schema has, with the bytes that it lists, or nothing."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from runhive.actions.bundle import BUNDLE, BUNDLE_BYTES, LEDGER_BYTES, MOST_FILES, Bundle, is_of_ledger, most_bytes
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.mistakes import one_line

DEEPEST = 8  # folders in each other
REFUSED, TAKEN = "the bundle is refused: ", ": nothing of it was taken"


@dataclass(frozen=True)
class Opened:
    """A bundle whose files are all there, with the bytes that it lists. `ledger` are those of the ledger's tree."""

    folder: Path
    bundle: Bundle
    ledger: Mapping[str, bytes]

    def path(self, name: str) -> Path | None:
        """Where the file *name* lies; None where the bundle has none."""
        found = self.folder / name
        return found if any(file.path == name for file in self.bundle.files) else None


class Refused(RunhiveError):
    """The bundle is not what it has to be."""


class NotItsOwn(Refused):
    """The bundle adds to a run that is complete in the ledger and belongs to another branch or clone."""


def refused(what: str, kind: type[Refused] = Refused) -> Refused:
    """The error, in one line."""
    return kind(f"{REFUSED}{one_line(what)[:400]}{TAKEN}")


def open_bundle(folder: Path) -> Opened:
    """Check all of *folder*. Raises RunhiveError with the first thing that is wrong; no file is written."""
    sizes = dict(_walk(folder))
    if BUNDLE not in sizes:
        raise refused(f"it has no {BUNDLE}")
    if sizes.pop(BUNDLE) > BUNDLE_BYTES:
        raise refused(f"{BUNDLE} has more than {BUNDLE_BYTES:,} bytes")
    bundle = _parse((folder / BUNDLE).read_bytes())
    _check_listing(bundle, sizes)
    for file in bundle.files:
        if sha256_of(folder / file.path) != file.sha256:
            raise refused(f"{file.path} has other bytes than {BUNDLE} lists")
    ledger = {file.path: (folder / file.path).read_bytes() for file in bundle.files if is_of_ledger(file.path)}
    return Opened(folder, bundle, ledger)


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """The size of each file by its path. Raises RunhiveError for links, for what is no file, and for too many."""
    count, waiting = 0, [(folder, "", 0)]
    while waiting:
        here, prefix, depth = waiting.pop()
        if depth > DEEPEST:
            raise refused(f"it has more than {DEEPEST} folders in each other")
        for entry in _entries(here):
            count += 1
            if count > 2 * MOST_FILES:
                raise refused(f"it has more than {MOST_FILES:,} files")
            path, mode = f"{prefix}{entry.name}", entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                waiting.append((Path(entry.path), f"{path}/", depth + 1))
            elif stat.S_ISREG(mode):
                yield path, entry.stat(follow_symlinks=False).st_size
            else:
                raise refused(f"{path} is a link or no plain file")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        if folder.is_symlink():
            raise refused(f"{folder.name} is a link")
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise RunhiveError(f"{folder} cannot be read ({error.strerror}): name the folder of a bundle") from error


def _parse(content: bytes) -> Bundle:
    try:
        json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise refused(f"{BUNDLE} is no JSON ({str(error)[:100]})") from None
    try:
        bundle = Bundle.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise refused(f"{BUNDLE}: {where[:100]}: {first['msg']}".replace(": :", ":")) from None
    if bundle.schema_version != Bundle.version:
        raise refused(f"it has schema version {bundle.schema_version}, this Runhive reads {Bundle.version}")
    if bundle.run is not None and bundle.run not in bundle.runs:
        raise refused(f"its run {bundle.run} is not among its runs")
    return bundle


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _check_listing(bundle: Bundle, sizes: Mapping[str, int]) -> None:
    listed = {file.path: file.bytes for file in bundle.files}
    if len(listed) != len(bundle.files):
        raise refused(f"{BUNDLE} lists a file twice")
    for path, size in listed.items():
        most = most_bytes(path)
        if most is None:
            raise refused(f"{path} is a path that no bundle has")
        if size > most:
            raise refused(f"{path} has {size:,} bytes, {most:,} at most")
    for path in sorted({*listed, *sizes}):
        if listed.get(path) != sizes.get(path):
            raise refused(f"{path} is not what {BUNDLE} lists")
    total = sum(size for path, size in listed.items() if is_of_ledger(path))
    if total > LEDGER_BYTES:
        raise refused(f"it has {total:,} bytes for the ledger, {LEDGER_BYTES:,} at most")
