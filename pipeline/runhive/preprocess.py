"""An image file to the model's input, the same way in validation, evaluate, export and predict. Without torch."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from runhive.decode import load_rgb
from runhive.formats.preprocess import Preprocess

Pixels = NDArray[np.uint8]
Load = Callable[[Path], Pixels]  # an image file to its RGB pixels (height, width, 3)
Item = TypeVar("Item")
Result = TypeVar("Result")


def load_pixels(path: Path) -> Pixels:
    """Decode *path* anew: a `Load` without a cache."""
    return np.asarray(load_rgb(path))


def to_input(image: PIL.Image.Image, preprocess: Preprocess) -> Pixels:
    """Shorter side to `resize_size` (antialiased bilinear), centre crop of `image_size`: (3, size, size).

    The arithmetic is that of torchvision's Resize and CenterCrop, so that its published weights see what they
    were trained with.
    """
    size = preprocess.image_size
    resized = resize_shorter_side(image, preprocess.resize_size)
    left, top = round((resized.width - size) / 2), round((resized.height - size) / 2)
    return np.ascontiguousarray(np.asarray(resized.crop((left, top, left + size, top + size))).transpose(2, 0, 1))


def resize_shorter_side(image: PIL.Image.Image, side: int) -> PIL.Image.Image:
    """Resize *image* in its proportions until its shorter side is *side*."""
    return image.resize(resized_size(image.width, image.height, side), PIL.Image.Resampling.BILINEAR)


def resized_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height of an image once its shorter side is *side*."""
    long = int(side * max(width, height) / min(width, height))
    return (side, long) if width <= height else (long, side)


def input_batches(
    paths: Sequence[Path], preprocess: Preprocess, batch_size: int, load: Load = load_pixels
) -> Iterator[Pixels]:
    """Yield *paths* in their order as batches (n, 3, size, size), prepared in parallel."""
    pixels = ahead(lambda path: to_input(PIL.Image.fromarray(load(path)), preprocess), paths, 2 * batch_size)
    while batch := list(islice(pixels, batch_size)):
        yield np.stack(batch)


def ahead(function: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """Map *function* over *items* in their order, in threads that are *most* items ahead of the caller at most."""
    with ThreadPoolExecutor(processors()) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(pool.submit(function, item))
        while waiting:
            yield waiting.popleft().result()


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
