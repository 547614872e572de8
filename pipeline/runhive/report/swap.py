"""Replace a folder by another in one step, so that its readers see the old one or the new one."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

AT_FDCWD = -100
RENAME_EXCHANGE = 2


def building_folder(site: Path) -> Path:
    """A private folder beside *site*, on the same file system."""
    return site.with_name(f".{site.name}.building-{os.getpid()}")


def sweep(site: Path) -> None:
    """Remove what dead builds left beside *site*, and put back a site that one had only moved away.

    Call it under the build's lock: no other build is alive then.
    """
    moved = sorted(site.parent.glob(f".{site.name}.old-*"))
    if moved and not site.exists():
        moved.pop().rename(site)
    for leftover in [*moved, *site.parent.glob(f".{site.name}.building-*")]:
        shutil.rmtree(leftover, ignore_errors=True)  # the MkDocs of a killed build may still be writing into it


def swap(new: Path, site: Path) -> None:
    """Put *new* in the place of *site* and remove the old one."""
    if not site.exists():
        new.rename(site)
        return
    if not _exchange(new, site):
        old = site.with_name(f".{site.name}.old-{os.getpid()}")
        site.rename(old)
        new.rename(site)
        new = old
    shutil.rmtree(new)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; False where the system cannot (Linux since 3.15 can, on most file systems)."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return renameat2 is not None and not renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE)
