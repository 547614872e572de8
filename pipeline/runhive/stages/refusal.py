"""What a worker says to the user before it ends, for the launcher to tell once."""

import os
from pathlib import Path

from runhive.files import write_atomic

ROOM = 4096  # bytes


def reserve(file: Path) -> None:
    """Forget what was said before, and take the room for what may be that the disk is full."""
    write_atomic(file, b" " * ROOM)


def refuse(file: Path, told: str) -> None:
    """Write *told* into the room that was reserved, in one write."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        os.write(descriptor, told.encode()[:ROOM].ljust(ROOM))
    finally:
        os.close(descriptor)


def refusal(file: Path) -> str:
    """What was said; nothing where no worker refused."""
    return file.read_text(errors="replace").strip() if file.exists() else ""
