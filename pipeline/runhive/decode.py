"""An image file to upright 8-bit sRGB, the same way in fetch, training, evaluate, predict and on pages."""

import errno
import io
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
import PIL.Image
from PIL import (  # those of FORMATS: Pillow would load all of its plugins to find the one of WebP
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    ImageCms,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)
from PIL.TiffImagePlugin import TiffImageFile

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM")
MOST_PIXELS = 178_000_000
BACKGROUND = "white"  # what shows through transparent pixels
TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
TIFF_BITS_PER_SAMPLE = 258
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


class Undecodable(Exception):
    """Why a file is no image that can be used."""


def load_rgb(path: Path) -> PIL.Image.Image:
    """Decode *path*. Raises RunhiveError, which names it, where it is no image that can be used."""
    try:
        with path.open("rb") as file:
            return to_rgb(open_image(file))
    except Undecodable as error:
        raise RunhiveError(f"{one_line(str(path))}: {error}") from None


def open_image(file: IO[bytes]) -> PIL.Image.Image:
    """Read the header in *file*. Raises Undecodable for an unknown format, a moving image or a size over the cap."""
    if not file.read(1):
        raise Undecodable("empty file")
    file.seek(0)
    try:
        image = PIL.Image.open(file, formats=(*FORMATS, "GIF"))
        frames = getattr(image, "n_frames", 1)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise _too_large() from None
    except PIL.UnidentifiedImageError:
        raise Undecodable(f"not an image of a known format ({', '.join(FORMATS)})") from None
    except DAMAGE as error:
        raise _damaged(error) from None
    if image.format == "GIF":
        raise Undecodable("GIF, not a photo format: convert it to PNG to keep it")
    if frames > 1 and image.format != "MPO":  # a JPEG with previews behind it, as cameras write it
        raise Undecodable(f"{frames} frames or pages: keep one of them as a file of its own")
    if image.mode == "F" or (image.mode == "I" and image.format != "PPM"):
        raise Undecodable(f"numbers whose white is unknown ({image.mode}): convert it to 8 or 16 bits to keep it")
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()
    return image


def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Decode an opened *image* to the last pixel: upright, 8 bits, sRGB, transparent parts on white.

    Raises Undecodable where it is damaged.
    """
    try:
        image.load()
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        plain, alpha = _without_alpha(_eight_bits(image))
    except DAMAGE as error:
        raise _damaged(error) from None
    rgb = _to_srgb(plain, image.info.get("icc_profile"))
    if alpha is not None and alpha.getextrema() != (255, 255):
        ground = PIL.Image.new("RGB", rgb.size, BACKGROUND)
        ground.paste(rgb, mask=alpha)
        rgb = ground
    rgb = rgb.transpose(turn) if turn is not None else rgb
    rgb.info = {}  # whoever saves it would pass on the profile and the orientation, which are applied
    return rgb


def _eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """Keep the high byte, as Pillow does with 16 bits of colour; of grey it would clip all but black to white."""
    if not image.mode.startswith("I"):
        return image
    bits = image.tag_v2.get(TIFF_BITS_PER_SAMPLE, (16,))[0] if isinstance(image, TiffImageFile) else 16
    return PIL.Image.fromarray((np.asarray(image) >> (bits - 8)).astype(np.uint8))


def _without_alpha(image: PIL.Image.Image) -> tuple[PIL.Image.Image, PIL.Image.Image | None]:
    """Split *image* into grey (L), CMYK or RGB and, where it may be transparent, its alpha channel."""
    is_grey = image.mode in ("1", "L", "LA", "La")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if is_grey else "RGBA")
        alpha = image.getchannel("A")
    plain = "L" if is_grey else "CMYK" if image.mode == "CMYK" else "RGB"
    return image if image.mode == plain else image.convert(plain), alpha


def _to_srgb(image: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    transform = _transform_to_srgb(profile, image.mode) if profile else None
    return image.convert("RGB") if transform is None else transform.apply(image)


@lru_cache(maxsize=16)
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from an ICC *profile* to sRGB; None where it is broken, of another kind of pixels, or sRGB itself."""
    try:
        transform = ImageCms.buildTransform(io.BytesIO(profile), ImageCms.createProfile("sRGB"), mode, "RGB")
    except ImageCms.PyCMSError:
        return None
    colours = _some_colours(mode)
    moved = np.abs(np.asarray(transform.apply(colours), np.int16) - np.asarray(colours.convert("RGB"), np.int16))
    return transform if moved.max() > 1 else None


def _some_colours(mode: str) -> PIL.Image.Image:
    """Every combination of a few levels of each channel, in one row."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    combinations = np.stack(np.meshgrid(*[levels] * len(mode)), axis=-1).reshape(-1, len(mode))
    return PIL.Image.frombytes(mode, (len(combinations), 1), combinations.tobytes())


def _too_large() -> Undecodable:
    return Undecodable(f"more than {MOST_PIXELS // 10**6} million pixels")


def _damaged(error: Exception) -> Undecodable:
    if isinstance(error, OSError) and error.errno == errno.EIO:
        raise error  # the disk's fault, not the image's
    return Undecodable(f"damaged: {one_line(str(error))[:100]}")
