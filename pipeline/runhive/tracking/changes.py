"""The uncommitted changes that a run was made with, as a patch for `git apply` without secrets and within bounds."""

from pathlib import Path
from typing import Any

import pygit2
from pygit2.enums import DiffOption, FileStatus

from runhive.tracking.repository import open_repository, printable, recorded_apart
from runhive.tracking.secrets import masked_bytes

PATCH = "changes.patch"
PATCH_BYTES = 1_000_000
LISTED = 50


def uncommitted(root: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the patch of tracked files against HEAD, and what the run's record says of it and of untracked files.

    A file whose part would take the patch over PATCH_BYTES is left out by name; a masked secret is told, as the patch
    then differs from what ran. Before the first commit there is no patch.
    """
    repository = open_repository(root)
    patch, left_out = b"", []
    for path, part in _parts(repository):
        if len(patch) + len(part) <= PATCH_BYTES:
            patch += part
        else:
            left_out.append(path)
    kept = masked_bytes(patch)
    untracked = sorted(
        printable(path)
        for path, status in repository.status(untracked_files="all").items()
        if status == FileStatus.WT_NEW and not recorded_apart(path) and not path.startswith(".runhive/")
    )
    told: dict[str, Any] = {"untracked": untracked[:LISTED]}
    if kept:
        told["patch"] = {"bytes": len(kept), "left_out": left_out[:LISTED], "masked": kept != patch}
    return kept, told


def _parts(repository: pygit2.Repository) -> list[tuple[str, bytes]]:
    """Path and patch of each tracked file that differs from HEAD, in the index or in the working tree."""
    if repository.head_is_unborn:
        return []
    flags, head = DiffOption.SHOW_BINARY, repository.head.peel(pygit2.Tree)
    staged = head.diff_to_index(repository.index, flags=flags)
    whole = {
        _path(change): change.data
        for diff in (staged, head.diff_to_workdir(flags=flags))
        for change in diff
        if change and change.delta.is_binary
    }
    staged.merge(repository.index.diff_to_workdir(flags=flags))
    named = ((_path(change), change) for change in staged if change)
    # A merged diff has no bytes of binary files.
    return [
        (printable(path), whole.get(path, change.data)) for path, change in named if not recorded_apart(printable(path))
    ]


def _path(change: pygit2.Patch) -> str:
    path: str = change.delta.new_file.raw_path.decode("utf-8", "surrogateescape")
    return path
