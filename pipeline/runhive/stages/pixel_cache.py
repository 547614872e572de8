"""Images decoded once: `.runhive/cache/<key>.rgb` holds the pixels of a split, image after image, read by memory map.

The key is a digest of the images' SHA-256 and sizes, of the code that decodes them and of Pillow's version.
"""

import hashlib
import json
import mmap
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
import PIL.features
import PIL.Image

from runhive import decode
from runhive.decode import load_rgb
from runhive.errors import RunhiveError
from runhive.files import atomic_writer, sha256_of
from runhive.formats.manifest import Image, split_of
from runhive.params import Cache
from runhive.preprocess import Load, Pixels, ahead, load_pixels, processors, resize_shorter_side, resized_size
from runhive.stages import paths
from runhive.tracking.ledger.lock import file_lock

KEPT = 6  # files: train and val of the images at hand, and some of those before


@dataclass(frozen=True)
class Picture:
    """One image of the cache: what it is, and how large its pixels are there."""

    image: Image
    width: int
    height: int

    @property
    def bytes(self) -> int:
        return 3 * self.width * self.height


@dataclass(frozen=True)
class Place:
    """Where the pixels of one image lie: a file, the first byte, height, width and channels."""

    file: IO[bytes]
    start: int
    shape: tuple[int, int, int]


@contextmanager
def pixel_loader(root: Path, images: Sequence[Image], cache: Cache, side: int) -> Iterator[Load]:
    """Yield how to get the pixels of *images*, whole splits: from the cache under *root*, written where it is missing.

    With `reduced`, images whose shorter side is longer than *side* are kept at that size.
    Raises RunhiveError where the disk has no room for it, or a file is not the one that the manifest lists.
    """
    if cache == "off":
        yield load_pixels
        return
    folder = root / paths.STATE / "cache"
    places: dict[Path, Place] = {}
    with ExitStack() as opened:
        with file_lock(folder / "lock", wait=None):
            for split in sorted({image.split for image in images}):
                members = split_of(images, split)
                pictures = _pictures(members, side if cache == "reduced" else None)
                places |= _places(opened.enter_context(_open(folder, pictures)), members, pictures)
            for old in sorted(folder.glob("*.rgb"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
                old.unlink()  # who reads it holds it open
        yield partial(_load, places)


def _open(folder: Path, pictures: Sequence[Picture]) -> IO[bytes]:
    """The file of *pictures*, which is written if there is none yet. Call it under the lock."""
    path = folder / f"{_key(pictures)}.rgb"
    if not path.exists():
        _write(path, pictures)
    os.utime(path)
    return path.open("rb")


def _places(file: IO[bytes], images: Sequence[Image], pictures: Sequence[Picture]) -> dict[Path, Place]:
    starts = accumulate((picture.bytes for picture in pictures), initial=0)
    found = {
        one.image.sha256: Place(file, start, (one.height, one.width, 3))
        for one, start in zip(pictures, starts, strict=False)
    }
    return {paths.IMAGES / image.path: found[image.sha256] for image in images}


def _load(places: Mapping[Path, Place], path: Path) -> Pixels:
    """Map one image only, while it is in use, so that memory does not grow with their number."""
    place = places[path]
    skipped = place.start % mmap.ALLOCATIONGRANULARITY
    length = prod(place.shape)
    mapped = mmap.mmap(place.file.fileno(), skipped + length, access=mmap.ACCESS_READ, offset=place.start - skipped)
    return np.frombuffer(mapped, np.uint8, length, skipped).reshape(place.shape)


def _pictures(images: Sequence[Image], side: int | None) -> list[Picture]:
    """Each content once, in the size in which it is kept, by its digest."""
    distinct = {image.sha256: image for image in images}
    return [Picture(image, *_kept_size(image, side)) for _, image in sorted(distinct.items())]


def _kept_size(image: Image, side: int | None) -> tuple[int, int]:
    if side is None or min(image.width, image.height) <= side:
        return image.width, image.height
    return resized_size(image.width, image.height, side)


def _key(pictures: Sequence[Picture]) -> str:
    """A change of the code or of Pillow may change pixels, so both are part of it."""
    content = {
        "pictures": [(one.image.sha256, one.width, one.height) for one in pictures],
        "code": [sha256_of(Path(file)) for file in (decode.__file__, __file__)],
        "pillow": [PIL.__version__, *map(PIL.features.version, ("jpg", "littlecms2"))],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write(path: Path, pictures: Sequence[Picture]) -> None:
    for leftover in path.parent.glob(".*.tmp"):  # of a killed writer: we hold the lock
        leftover.unlink()
    needed, free = sum(one.bytes for one in pictures), shutil.disk_usage(path.parent).free
    print(f"decoding {len(pictures)} images into {path.parent}: {_size(needed)}", file=sys.stderr)
    if needed > free:
        raise RunhiveError(
            f"{path.parent} needs {_size(needed)} for the decoded images and has {_size(free)} free: "
            "free the disk, or set train.cache to reduced or off"
        )
    with atomic_writer(path) as file:
        for pixels in ahead(_decode, pictures, 4 * processors()):
            file.write(pixels.data)


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def _decode(picture: Picture) -> Pixels:
    path = paths.IMAGES / picture.image.path
    if not path.exists() or sha256_of(path) != picture.image.sha256:
        raise RunhiveError(f"{path} is not the file that {paths.MANIFEST} lists: run `dvc repro -f -s fetch`")
    image = load_rgb(path)
    if image.size != (picture.width, picture.height):
        image = resize_shorter_side(image, min(picture.width, picture.height))
    pixels = np.asarray(image)
    assert pixels.shape == (picture.height, picture.width, 3), f"{path}: {pixels.shape}"
    return np.ascontiguousarray(pixels)
