"""Decode an image file to the last pixel, because a header tells nothing about the rest."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from runhive.data.decoding import PixelBudget
from runhive.data.fingerprint import fingerprint
from runhive.data.names import shown
from runhive.decode import Undecodable, open_image, to_rgb
from runhive.files import reading
from runhive.formats.data_report import LeftOut
from runhive.formats.manifest import Image


@dataclass(frozen=True)
class Examined:
    """An image that decodes, the bytes of its file and what it looks like."""

    image: Image
    file_bytes: int
    fingerprint: bytes


def examine(folder: Path, budget: PixelBudget, path: str) -> Examined | LeftOut:
    """Decode `<split>/<class>/<name>` in *folder*. Call it under `quiet_pillow`."""
    split, label, _ = path.split("/")
    try:
        with reading(folder / path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            header = open_image(file)
            with budget.taken(header.width * header.height):
                rgb = to_rgb(header)
                size, look = os.fstat(file.fileno()).st_size, fingerprint(rgb)
    except Undecodable as error:
        return LeftOut(path=shown(path), reason=str(error))
    except PermissionError as error:
        return LeftOut(path=shown(path), reason=f"cannot be read ({error.strerror})")
    return Examined(Image(path, split, label, digest, rgb.width, rgb.height), size, look)
