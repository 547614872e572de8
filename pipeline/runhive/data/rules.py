"""What a file that is brought here has to be."""

import re
from dataclasses import dataclass
from pathlib import Path

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.files import sha256_of

INSTEAD = "download it elsewhere and set data.url to the file"
BLANKS = b"\xef\xbb\xbf \t\r\n"  # a byte order mark is one


@dataclass(frozen=True)
class Rules:
    """What a download has to be: of this SHA-256, no larger, and not over http."""

    sha256: str | None = None
    max_bytes: int = 50 * 10**9
    allow_http: bool = False


class Unwanted(RunhiveError):
    """What was brought is not what the rules ask for: none of it is kept."""


def check_file(file: Path, named: str, sha256: str | None) -> None:
    """Raise Unwanted where *file* is a page instead of an archive, or not of *sha256*."""
    with file.open("rb") as content:
        head = content.read(4096)
    if head.lstrip(BLANKS).startswith(b"<"):
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", head.decode(errors="replace"), flags=re.S | re.I)
        words = shown(" ".join(text.split())[:80])
        raise Unwanted(f"{named}: got a page of HTML or XML, not an archive, that says {words!r}: {INSTEAD}")
    if sha256 and (found := sha256_of(file)) != sha256:
        raise Unwanted(f"{named}: the archive has SHA-256 {found}, data.sha256 is {sha256}: find out which is right")


def too_large(named: str, max_bytes: int) -> Unwanted:
    return Unwanted(f"{named}: more than {max_bytes:,} bytes: raise data.max_bytes if that is meant")
