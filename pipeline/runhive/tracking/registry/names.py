"""How versions and aliases are written: `name@v1.2.0`, `name#alias`, and the Git tags that stand for them.

The tags are those of GTO 1 (https://github.com/iterative/gto, gto/tag.py), so that `gto show` reads them.
"""

import re
from dataclasses import dataclass
from functools import total_ordering

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ALIAS = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
NUMBER = r"(?:0|[1-9][0-9]{0,8})"
TAG = re.compile(
    rf"(?P<name>{NAME})(?:@v(?P<version>{NUMBER}\.{NUMBER}\.{NUMBER})|#(?P<alias>{ALIAS}))(?P<cancel>!?)(?:#(?P<counter>{NUMBER}))?"
)
BUMPS = ("major", "minor", "patch")


@total_ordering
@dataclass(frozen=True)
class SemVer:
    """A semantic version; it is ordered by its numbers, never by when it was made."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "SemVer":
        """Parse `1.2.0` or `v1.2.0`. Raises ValueError for anything else."""
        if not re.fullmatch(rf"v?{NUMBER}\.{NUMBER}\.{NUMBER}", text):
            raise ValueError(text)
        return cls(*map(int, text.removeprefix("v").split(".")))

    def bumped(self, bump: str) -> "SemVer":
        """The version after this one."""
        match bump:
            case "major":
                return SemVer(self.major + 1, 0, 0)
            case "minor":
                return SemVer(self.major, self.minor + 1, 0)
        return SemVer(self.major, self.minor, self.patch + 1)

    def __lt__(self, other: "SemVer") -> bool:
        return (self.major, self.minor, self.patch) < (other.major, other.minor, other.patch)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST = SemVer(1, 0, 0)


@dataclass(frozen=True)
class TagName:
    """What a tag of GTO's form says by its name: a version or an alias, given or, with `cancel`, taken away."""

    name: str
    version: SemVer | None
    alias: str
    cancel: bool
    counter: int


def parse_tag(text: str) -> TagName | None:
    """Read the name of a tag; None for one of another form, also for `name@deprecated` and pre-releases."""
    found = TAG.fullmatch(text)
    if not found or (found["alias"] and not found["counter"]):
        return None
    version = SemVer.parse(found["version"]) if found["version"] else None
    return TagName(found["name"], version, found["alias"] or "", bool(found["cancel"]), int(found["counter"] or 0))


def version_tag(name: str, version: SemVer) -> str:
    """The tag of a version, which is also how people write it."""
    return f"{name}@v{version}"


def alias_tag(name: str, alias: str, counter: int, cancel: bool = False) -> str:
    """The tag of the *counter*-th assignment of *name*; with *cancel* it takes the alias away."""
    return f"{name}#{alias}{'!' if cancel else ''}#{counter}"


def check_name(name: str) -> str:
    """Return *name*. Raises RunhiveError where a model cannot have it."""
    if not re.fullmatch(NAME, name):
        raise RunhiveError(
            f"{one_line(name)[:80]!r} is no name of a model: use small letters, digits and '-' between them, 63 at most"
        )
    return name


def check_alias(alias: str) -> str:
    """Return *alias*. Raises RunhiveError for what is none, or reads as a version."""
    if not re.fullmatch(ALIAS, alias) or alias.isdecimal() or alias == "latest":
        raise RunhiveError(
            f"{one_line(alias)[:80]!r} is no alias: use a word such as prod, of small letters, digits and '-'"
        )
    return alias
