"""A file of a run: small ones for the ledger, larger ones for DVC's cache, text without secrets."""

import re
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import Event
from runhive.tracking.life.outbox import Outbox
from runhive.tracking.repository import printable
from runhive.tracking.secrets import masked
from runhive.tracking.storage import artifacts

SMALL_BYTES = 256_000
RUN_BYTES = 5_000_000  # of all small files of one run; those after go to the cache
SCANNED_BYTES = 20_000_000
MOST_FILES = 1_000
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")

Snapshot = dict[Path, tuple[int, int]]


def file_content(root: Path, box: Outbox, name: str, content: bytes, suffix: str, kind: str = "file") -> dict[str, Any]:
    """Keep *content*, its secrets masked where it is text, and return what a `filed` event says of it."""
    content = without_secrets(content)
    if len(content) > SMALL_BYTES or len(content) + sum(map(len, box.files().values())) > RUN_BYTES:
        return artifacts.keep(root, content, kind)
    entry = artifacts.describe(content, kind)
    entry["ledger"] = entry["sha256"][:16] + (suffix if SUFFIX.fullmatch(suffix) else "")
    box.keep(entry["ledger"], content)
    return entry


def file_path(root: Path, box: Outbox, path: Path, kind: str = "file") -> dict[str, Any]:
    """Keep the file *path* as `file_content` does; one of more than SCANNED_BYTES is not looked through.

    Raises RunhiveError where it cannot be read.
    """
    try:
        if path.stat().st_size > SCANNED_BYTES:
            return artifacts.keep_file(root, path, kind)
        content = path.read_bytes()
    except OSError as error:
        raise RunhiveError(f"{printable(str(path))} cannot be read ({error.strerror}): mend its permissions") from error
    return file_content(root, box, path.name, content, path.suffix, kind)


def post_files(box: Outbox, files: dict[str, dict[str, Any]]) -> None:
    """Leave the news of *files*, by their names, for the ledger."""
    if files:
        box.post(Event("filed", {"files": files}))


def snapshot(folders: tuple[Path, ...]) -> Snapshot:
    """Return when each regular file below *folders* changed last, and its size. Links are not followed."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")) if not _through_link(path, folder))
    return {path: (stat.st_mtime_ns, stat.st_size) for path in found if (stat := path.lstat()) and path.is_file()}


def without_secrets(content: bytes) -> bytes:
    """Return *content* masked where it is UTF-8 text."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    return masked(text).encode()


def _through_link(path: Path, folder: Path) -> bool:
    return any(part.is_symlink() for part in (path, *path.parents) if part == folder or folder in part.parents)
