"""What a run takes on the disk, by kind of object."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pygit2

from runhive.tracking.git import git
from runhive.tracking.ledger.objects import REF
from runhive.tracking.repository import common_folder

FOLDERS = ("the root", "`runs`", "years", "months", "days", "runs")


def room(repository: pygit2.Repository, runs: int) -> list[str]:
    """The lines of a Markdown table: of each kind, the objects and bytes a run after gc, and the bytes unpacked."""
    objects: Counter[str] = Counter()
    packed: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    for kind, size, on_disk in _objects(repository):
        objects[kind] += 1
        packed[kind] += on_disk
        unpacked[kind] += size
    index = sum(path.stat().st_size for path in (common_folder(repository) / "objects" / "pack").glob("*.idx"))
    rows = [(kind, objects[kind], packed[kind], unpacked[kind]) for kind, _ in packed.most_common()]
    rows.append(("all objects", objects.total(), packed.total(), unpacked.total()))
    lines = ["| a run, after `runhive runs gc` | objects | bytes | bytes unpacked |", "|---|---|---|---|"]
    lines += [f"| {kind} | {count / runs:.1f} | {small / runs:,.0f} | {large / runs:,.0f} |"
              for kind, count, small, large in rows]  # fmt: skip
    return [*lines, f"| the pack's index of them | | {index / runs:,.0f} | |"]


def _objects(repository: pygit2.Repository) -> Iterator[tuple[str, int, int]]:
    """Yield the kind, size and size on the disk of each object that the ledger reaches."""
    paths = dict(line.split(" ", 1) if " " in line else (line, "") for line in
                 git(repository, "rev-list", "--objects", REF).splitlines())  # fmt: skip
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize) %(objectsize:disk)"
    for line in git(repository, "cat-file", form, given="\n".join(paths) + "\n").splitlines():
        oid, type, size, on_disk = line.split()
        yield _kind(type, paths[oid]), int(size), int(on_disk)


def _kind(type: str, path: str) -> str:
    if type == "commit":
        return "commits"
    if type == "tree":
        depth = len(Path(path).parts)
        return f"folders: {FOLDERS[depth]}" if depth < len(FOLDERS) else "folders: media"
    named = re.fullmatch(r"(\d+)-[0-9a-f]{8}-(.*)", Path(path).name)
    if named and named[2] == "events.json":
        return "events of the start" if int(named[1]) == 1 else "events of the end"
    return f"`{named[2]}`" if named else "other"
