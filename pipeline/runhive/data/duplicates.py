"""Find images that are there more than once: the same bytes, the same pixels, or nearly the same picture."""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from runhive.data.fingerprint import THUMBNAIL, is_thumbnail, pixel_digest
from runhive.data.pixels import Examined
from runhive.decode import load_rgb
from runhive.formats.data_report import Duplicates
from runhive.formats.manifest import Image

# Measured by tests/benchmarks/near_duplicates.py: re-encoded, resized, brightened and grey copies of photos
# differ in at most 4 of 64 bits and correlate with 0.99; of different photos no two do both.
MOST_BITS = 4
CORRELATION = 0.99
BANDS = MOST_BITS + 1  # hashes that differ in no more bits agree in one of the bands
MOST_COMPARED = 500  # in a band, so that pictures that all look alike do not take quadratic time

Thumbnails = NDArray[np.float32]  # (images, 288), centred and of length 1
Hashes = NDArray[np.uint64]


def find_duplicates(examined: Sequence[Examined], folder: Path) -> list[Duplicates]:
    """Group the images in *folder* that are there more than once, those in several splits first.

    Images of less than 32 pixels count as the same only where every pixel is.
    """
    by_look: dict[bytes, list[Examined]] = defaultdict(list)
    for one in examined:
        by_look[one.fingerprint].append(one)
    for alike in near_duplicates([look for look in by_look if is_thumbnail(look)]):
        by_look[alike[0]] += [one for look in alike[1:] for one in by_look.pop(look)]
    groups = [describe(copies, folder) for copies in by_look.values() if len(copies) > 1]
    return sorted(groups, key=lambda group: (len(group.splits) == 1, len(group.labels) == 1, group.images))


def describe(copies: Sequence[Examined], folder: Path) -> Duplicates:
    """Return one group of copies."""
    images = sorted((one.image for one in copies), key=lambda image: image.path)
    return Duplicates(
        kind=kind_of(images, folder),
        images=[image.path for image in images],
        splits=sorted({image.split for image in images}),
        labels=sorted({image.label for image in images}),
    )


def kind_of(images: Sequence[Image], folder: Path) -> Literal["bytes", "pixels", "near"]:
    """Say how *images*, which look alike, are the same."""
    first, *others = {image.sha256: folder / image.path for image in images}.values()
    if not others:
        return "bytes"
    pixels = pixel_digest(load_rgb(first))
    return "pixels" if all(pixel_digest(load_rgb(other)) == pixels for other in others) else "near"


def near_duplicates(thumbnails: Sequence[bytes]) -> list[list[bytes]]:
    """Group the different *thumbnails* that show nearly the same picture.

    Each is compared with the first of every group that agrees with it in a band of the hash. They come in the
    order of their brightness, so that copies meet even where a band holds more than `MOST_COMPARED`.
    """
    pixels = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, THUMBNAIL[1], THUMBNAIL[0])
    hashes = dhash(pixels)
    groups: dict[int, list[int]] = {}
    buckets: dict[tuple[int, int], array[int]] = defaultdict(lambda: array("q"))
    for row in np.argsort(pixels.mean(axis=(1, 2)), kind="stable").tolist():
        keys = list(enumerate(bands(int(hashes[row]))))
        first = nearest(row, [buckets[key][-MOST_COMPARED:] for key in keys], hashes, pixels)
        if first is not None:
            groups[first].append(row)
            continue
        groups[row] = [row]
        for key in keys:
            buckets[key].append(row)
    return [[thumbnails[row] for row in group] for group in groups.values() if len(group) > 1]


def dhash(pixels: NDArray[np.uint8]) -> Hashes:
    """The difference hash of grey pictures (images, 16, 18): is each cell of a grid of 9x8 brighter than its left?

    Neal Krawetz, Kind of Like That, hackerfactor.com, 2013.
    """
    cells = pixels.reshape(len(pixels), 8, 2, 9, 2).mean(axis=(2, 4))
    brighter = cells[:, :, 1:] > cells[:, :, :-1]  # (images, 8, 8)
    return np.packbits(brighter.reshape(len(pixels), 64), axis=1).view(">u8").astype(np.uint64).reshape(-1)


def bands(value: int) -> list[int]:
    """Cut 64 bits into `BANDS` pieces."""
    width = -(-64 // BANDS)
    return [value >> (width * band) & ((1 << width) - 1) for band in range(BANDS)]


def nearest(row: int, candidates: Sequence["array[int]"], hashes: Hashes, pixels: NDArray[np.uint8]) -> int | None:
    """The one of *candidates* that shows nearly the picture of *row*, or None."""
    rows = np.unique(np.concatenate([np.frombuffer(one, np.int64) for one in candidates]))
    rows = rows[np.bitwise_count(hashes[rows] ^ hashes[row]) <= MOST_BITS]
    if not rows.size:
        return None
    likeness = centred(pixels[rows]) @ centred(pixels[row : row + 1])[0]
    best = int(likeness.argmax())
    return int(rows[best]) if likeness[best] >= CORRELATION else None


def centred(pixels: NDArray[np.uint8]) -> Thumbnails:
    """Flat pictures with mean 0 and length 1, so that their product is Pearson's correlation; 0 for one colour."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    result: Thumbnails = flat / np.maximum(length, 1)
    return result
