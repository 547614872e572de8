"""A temporary folder for one process of fetch, beside its outs, that outlives it only with its downloads in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from runhive.data.bring import DOWNLOADS

PREFIX = ".fetch-"


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """Make a folder in *parent* and remove those of processes that died.

    Their `downloads` are taken over, those of the block are left for the next one where it fails.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{PREFIX}{os.getpid()}"
    abandoned = list(take_abandoned(parent))
    (folder / DOWNLOADS).mkdir(parents=True)
    for old in abandoned:
        for download in sorted((old / DOWNLOADS).glob("*")):
            if not (folder / DOWNLOADS / download.name).exists():
                download.rename(folder / DOWNLOADS / download.name)
        shutil.rmtree(old, ignore_errors=True)
    try:
        yield folder
    except BaseException:
        keep_downloads(folder)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def take_abandoned(parent: Path) -> Iterator[Path]:
    """Rename the folders of dead processes to ours, each of which only one living process can do, and yield them."""
    for count, old in enumerate(sorted(parent.glob(f"{PREFIX}*"))):
        pid = old.name.removeprefix(PREFIX).partition(".")[0]
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            with suppress(FileNotFoundError):
                yield old.rename(parent / f"{PREFIX}{os.getpid()}.{count}-{os.urandom(4).hex()}")


def keep_downloads(folder: Path) -> None:
    """Remove all in *folder* but its downloads, and *folder* where it has none."""
    for one in folder.iterdir():
        if one.name != DOWNLOADS:
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() and not one.is_symlink() else one.unlink()
    with suppress(OSError):  # not empty
        (folder / DOWNLOADS).rmdir()
        folder.rmdir()
