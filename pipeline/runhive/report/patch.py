"""The uncommitted changes that a run was made with, line by line."""

from dataclasses import dataclass

from runhive.report.text import visible

MOST_LINES = 400
LONGEST_LINE = 300
KINDS = {"+++": "file", "---": "file", "diff": "head", "@@": "place", "+": "added", "-": "removed"}


@dataclass(frozen=True)
class Patch:
    """The first lines, each with its kind; *added* and *removed* count those of the whole patch, of *total* lines."""

    lines: tuple[tuple[str, str], ...]
    total: int
    added: int
    removed: int


def parse_patch(content: bytes) -> Patch | None:
    """Tell the lines of *content* apart; None for an empty patch."""
    lines = content.decode(errors="replace").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    if not lines:
        return None
    kinds = [_kind(line) for line in lines]
    shown = [
        (kind, visible(line.replace("\t", " "), LONGEST_LINE))
        for kind, line in zip(kinds[:MOST_LINES], lines, strict=False)
    ]
    return Patch(tuple(shown), len(lines), kinds.count("added"), kinds.count("removed"))


def _kind(line: str) -> str:
    return next((kind for start, kind in KINDS.items() if line.startswith(start)), "same")
