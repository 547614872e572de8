"""A disk of one's own: a file with an ext4 on it. It takes root."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def make_disk(image: Path) -> None:
    """Write an empty file system of 64 MiB to *image*."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("NOT TRIED: a disk of one's own takes mkfs.ext4: apt install e2fsprogs")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """Mount the file system of *image*; the kernel writes nothing to it on its own for minutes."""
    folder.mkdir()
    done = subprocess.run(["mount", "-o", "loop,commit=300", image, folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"NOT TRIED: mounting an image takes root's rights: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
