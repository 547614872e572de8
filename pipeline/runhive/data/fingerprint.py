"""What an image looks like, in a few bytes, so that copies of it are found without keeping any pixels."""

import hashlib

import PIL.Image

SMALLEST = 32  # pixels of a side, below which different images look alike: only equal pixels are told
THUMBNAIL = (18, 16)  # width and height
ROWS = 256  # hashed at once, so that a huge image is not copied whole


def fingerprint(image: PIL.Image.Image) -> bytes:
    """The grey thumbnail of an RGB *image*; of a very small one, the digest of its pixels."""
    if min(image.size) < SMALLEST:
        return pixel_digest(image)
    return image.convert("L").resize(THUMBNAIL, PIL.Image.Resampling.BOX).tobytes()


def is_thumbnail(fingerprint: bytes) -> bool:
    """Whether two such fingerprints can be nearly the same."""
    return len(fingerprint) == THUMBNAIL[0] * THUMBNAIL[1]


def pixel_digest(image: PIL.Image.Image) -> bytes:
    """SHA-256 over the size and the pixels of *image*."""
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    for top in range(0, image.height, ROWS):
        digest.update(image.crop((0, top, image.width, min(top + ROWS, image.height))).tobytes())
    return digest.digest()
