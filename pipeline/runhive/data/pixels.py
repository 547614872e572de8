"""Decode an image file to the last pixel, because a header tells nothing about the rest."""

import errno
import hashlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import PIL.Image
import PIL.ImageOps

from runhive.data.names import shown
from runhive.formats.data_report import LeftOut
from runhive.formats.manifest import Image

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM")
MOST_PIXELS = 178_000_000
# What Pillow's decoders raise on damaged bytes. OSError is also what a file that cannot be read raises.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


class NotKept(Exception):
    """Why a file does not become an image of the data set."""


@contextmanager
def pixel_cap() -> Iterator[None]:
    """Make Pillow refuse images of more than `MOST_PIXELS`, in all threads, and keep its other warnings quiet."""
    before = PIL.Image.MAX_IMAGE_PIXELS
    PIL.Image.init()  # here, and not in several threads at once
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            PIL.Image.MAX_IMAGE_PIXELS = MOST_PIXELS
            yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = before


def examine(folder: Path, path: str) -> Image | LeftOut:
    """Decode `<split>/<class>/<name>` in *folder*. Call it under `pixel_cap`."""
    split, label, _ = path.split("/")
    try:
        with (folder / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            width, height = measure(file)
    except NotKept as error:
        return LeftOut(path=shown(path), reason=str(error))
    except PermissionError as error:
        return LeftOut(path=shown(path), reason=f"cannot be read ({error.strerror})")
    return Image(path=path, split=split, label=label, sha256=digest, width=width, height=height)


def measure(file: IO[bytes]) -> tuple[int, int]:
    """Return width and height of the image in *file* as its EXIF orientation turns it. Raises NotKept."""
    if not file.read(1):
        raise NotKept("empty file")
    file.seek(0)
    try:
        with PIL.Image.open(file, formats=(*FORMATS, "GIF")) as image:
            check_kind(image)
            image.load()
            PIL.ImageOps.exif_transpose(image, in_place=True)
            return image.size
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise NotKept(f"more than {MOST_PIXELS // 10**6} million pixels") from None
    except PIL.UnidentifiedImageError:
        raise NotKept(f"not an image of a known format ({', '.join(FORMATS)})") from None
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise  # the disk's fault, not the image's
        raise NotKept(f"damaged: {shown(str(error))[:100]}") from None


def check_kind(image: PIL.Image.Image) -> None:
    """Raise NotKept for what decodes and still is no photo of eight bits per channel."""
    if image.format == "GIF":
        raise NotKept("GIF, not a photo format: convert it to PNG to keep it")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a JPEG with previews behind it, as cameras write it
        raise NotKept(f"{frames} frames or pages: keep one of them as a file of its own")
    if image.mode == "F" or image.mode.startswith("I"):
        raise NotKept(f"more than 8 bits per channel ({image.mode}): convert it to 8 bits to keep it")
