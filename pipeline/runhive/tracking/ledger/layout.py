"""What each path of the ledger's tree may hold."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator

import pygit2
from pydantic import ValidationError

from runhive.errors import RunhiveError
from runhive.tracking.ledger.entry import FILE_BYTES
from runhive.tracking.ledger.kept import DIGEST, KEPT_NAME
from runhive.tracking.ledger.objects import bytes_of
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.stone import Stone

RUN = r"runs/(\d{4})/(\d\d)/(\d\d)/(\1\2\3-\d{6}-[0-9a-f]{6})"
EVENT = re.compile(rf"{RUN}/events/[^/]+\.json")
KEPT = re.compile(rf"{RUN}/files/({KEPT_NAME.pattern})")
OLD_FILE = re.compile(rf"{RUN}/[A-Za-z0-9][A-Za-z0-9._-]*")  # as ledgers of version 0.1 have them
PICTURE = re.compile(r"media/([0-9a-f]{2})/\1[0-9a-f]{62}\.jpg")
JPEG = b"\xff\xd8\xff"  # how every JPEG begins
STONE = re.compile(r"purged/\d{8}-\d{6}-[0-9a-f]{6}/[0-9a-f]{8}\.json")


def check(path: str, blob: pygit2.Blob) -> tuple[str, list[str]]:
    """Return what kind of file lies at *path*, and what is wrong with it."""
    for pattern, (kind, faults) in KINDS.items():
        if match := pattern.fullmatch(path):
            try:
                content = bytes_of(blob)
            except (RunhiveError, pygit2.GitError, OSError) as error:
                return kind, [f"cannot be read: {error}"]
            over = [f"has {len(content)} bytes, over the cap of {FILE_BYTES}"] if len(content) > FILE_BYTES else []
            return kind, [*over, *faults(match, content)]
    return "stray", ["is a path that no Runhive writes"]


def _event(match: re.Match[str], content: bytes) -> Iterator[str]:
    try:
        event = Event.from_json(content)
        canonical = json.dumps(json.loads(content), sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    except RunhiveError as error:
        yield str(error)
        return
    if canonical.encode() != content:
        yield "is not in the one form that an event has"
    digest = hashlib.sha256(content).hexdigest()[:8]
    if match[0].rpartition("/")[2] != f"{event.order:04d}-{event.type}-{digest}.json":
        yield "is not named by its order, type and content"


def _kept(match: re.Match[str], content: bytes) -> Iterator[str]:
    if match[7] != str(pygit2.hash(content))[:DIGEST]:
        yield "is not named by its content"


def _anything(match: re.Match[str], content: bytes) -> Iterator[str]:
    return iter(())


def _picture(match: re.Match[str], content: bytes) -> Iterator[str]:
    """Its name is the digest of the image that it shows, which is not here; that it is a JPEG can be seen."""
    if not content.startswith(JPEG):
        yield "is no JPEG"


def _stone(match: re.Match[str], content: bytes) -> Iterator[str]:
    try:
        stone = Stone.model_validate_json(content)
    except ValidationError:
        yield "is no well-formed stone"
        return
    if stone.path() != match[0] or stone.to_json() != content:
        yield "is not named by its content"


Faults = Callable[[re.Match[str], bytes], Iterator[str]]
KINDS: dict[re.Pattern[str], tuple[str, Faults]] = {
    EVENT: ("events", _event),
    KEPT: ("files", _kept),
    OLD_FILE: ("files", _anything),
    PICTURE: ("pictures", _picture),
    STONE: ("stones", _stone),
}
