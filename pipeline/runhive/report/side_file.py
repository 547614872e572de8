"""Pictures that several pages show: one file each, whichever page is made first."""

import os
from pathlib import Path


def write_side_file(path: Path, content: bytes) -> None:
    """Write *content* to *path*, which is named after it, unless it is there: whole to all processes at any time."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
