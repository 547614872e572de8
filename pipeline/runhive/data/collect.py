"""Put the images that are kept where the stages after fetch read them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.formats.manifest import Image


def collect(images: Sequence[Image], folder: Path, into: Path, owned: bool) -> None:
    """Bring *images* from *folder* to the new folder *into*, moving where *folder* is ours.

    Raises RunhiveError where the disk is full or a file is no longer what the manifest says.
    """
    try:
        for parent in sorted({(into / image.path).parent for image in images}):
            parent.mkdir(parents=True)
        for image in images:
            bring(image, folder / image.path, into / image.path, owned)
    except OSError as error:
        raise RunhiveError(
            f"{into} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error


def bring(image: Image, source: Path, target: Path, owned: bool) -> None:
    """Move or copy one file."""
    if owned:
        source.rename(target)
        return
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise RunhiveError(f"{shown(image.path)} changed while it was read: run fetch again when the folder is at rest")
    target.write_bytes(data)
