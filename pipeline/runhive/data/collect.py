"""Put the images that are kept where the stages after fetch read them."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.files import read_whole
from runhive.formats.manifest import Image


def collect(images: Sequence[Image], folder: Path, into: Path, owned: bool) -> None:
    """Bring *images* from *folder* to the new folder *into*, moving where *folder* is ours.

    Raises RunhiveError where the disk is full or a file is no longer what the manifest says.
    """
    with writing(into):
        for parent in sorted({(into / image.path).parent for image in images}):
            parent.mkdir(parents=True)
    for image in images:
        source, target = folder / image.path, into / image.path
        data = b"" if owned else content_of(image, source)
        with writing(into):
            source.rename(target) if owned else target.write_bytes(data)


@contextmanager
def writing(into: Path) -> Iterator[None]:
    """Raise RunhiveError for what a disk says that cannot be written."""
    try:
        yield
    except OSError as error:
        raise RunhiveError(
            f"{into} cannot be written ({error.strerror}): free the disk or mend its permissions"
        ) from error


def content_of(image: Image, source: Path) -> bytes:
    """Read what is to be copied. Raises RunhiveError where it is no longer what was examined."""
    data = read_whole(source)
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise RunhiveError(f"{shown(image.path)} changed while it was read: run fetch again when the folder is at rest")
    return data
