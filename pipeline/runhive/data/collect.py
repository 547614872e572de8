"""Put the images that are kept where the stages after fetch read them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.formats.manifest import Image


def collect(images: Sequence[Image], folder: Path, into: Path, owned: bool) -> int:
    """Bring *images* from *folder* to the new folder *into*, moving where *folder* is ours, and return their bytes.

    Raises RunhiveError where the disk is full or a file is no longer what the manifest says.
    """
    try:
        for parent in sorted({(into / image.path).parent for image in images}):
            parent.mkdir(parents=True)
        return sum(bring(image, folder / image.path, into / image.path, owned) for image in images)
    except OSError as error:
        raise RunhiveError(
            f"{into} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error


def bring(image: Image, source: Path, target: Path, owned: bool) -> int:
    """Move or copy one file and return its bytes."""
    if owned:
        source.rename(target)
        return target.stat().st_size
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise RunhiveError(f"{shown(image.path)} changed while it was read: run fetch again when the folder is at rest")
    target.write_bytes(data)
    return len(data)


def in_several_splits(images: Sequence[Image]) -> int:
    """Return how many different images lie in more than one split."""
    splits: dict[str, set[str]] = {}
    for image in images:
        splits.setdefault(image.sha256, set()).add(image.split)
    return sum(len(found) > 1 for found in splits.values())
