"""data/manifest.csv: every image of the data set, with its label and split, decided once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runhive.formats.table import parse_rows, read_rows, write_rows


@dataclass(frozen=True)
class Image:
    """One image that decodes. `path` is relative to the images folder, with forward slashes."""

    path: str
    split: str
    label: str
    sha256: str
    width: int
    height: int


def write_manifest(path: Path, images: Sequence[Image]) -> None:
    """Write *images* sorted by path."""
    write_rows(path, Image, sorted(images, key=lambda image: image.path))


def read_manifest(path: Path) -> list[Image]:
    """Read the images in the order of their paths."""
    return read_rows(path, Image)


def from_csv(content: bytes, where: str) -> list[Image]:
    """Parse the bytes of a manifest; *where* names them in an error."""
    return parse_rows(content, Image, where)


def split_of(images: Sequence[Image], split: str) -> list[Image]:
    """The images of one split, in the order given."""
    return [image for image in images if image.split == split]


def class_names(images: Sequence[Image]) -> list[str]:
    """The labels, sorted: their order is the order of the model's outputs."""
    return sorted({image.label for image in images})


def content_digest(images: Sequence[Image]) -> str:
    """SHA-256 over what the images are and how they are labelled and split, whatever their names and order.

    Two evaluation sets may be compared only when this is equal.
    """
    lines = sorted(f"{image.split}\0{image.label}\0{image.sha256}\n" for image in images)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
