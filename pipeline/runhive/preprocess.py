"""An image file to the model's input, the same way in validation, evaluate, export and predict. Without torch."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from runhive.decode import load_rgb as load_rgb
from runhive.formats.model_card import Preprocess

Pixels = NDArray[np.uint8]


def to_input(image: PIL.Image.Image, preprocess: Preprocess) -> Pixels:
    """Shorter side to `resize_size` (antialiased bilinear), centre crop of `image_size`: (3, size, size).

    The arithmetic is that of torchvision's Resize and CenterCrop, so that its published weights see what they
    were trained with.
    """
    size = preprocess.image_size
    short, long = min(image.size), max(image.size)
    resized = (preprocess.resize_size, int(preprocess.resize_size * long / short))
    width, height = resized if image.width <= image.height else resized[::-1]
    left, top = round((width - size) / 2), round((height - size) / 2)
    cropped = image.resize((width, height), PIL.Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
    return to_chw(cropped)


def to_chw(image: PIL.Image.Image) -> Pixels:
    """The pixels of an RGB image, channels first."""
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def input_batches(paths: Sequence[Path], preprocess: Preprocess, batch_size: int) -> Iterator[Pixels]:
    """Decode *paths* in their order, in parallel, as batches (n, 3, size, size)."""
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), batch_size):
            batch = paths[start : start + batch_size]
            yield np.stack(list(pool.map(lambda path: to_input(load_rgb(path), preprocess), batch)))
