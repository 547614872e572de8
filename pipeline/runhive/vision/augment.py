"""Random crops and mirrors for training, each a function of (seed, epoch, image)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.random import Generator
from numpy.typing import NDArray

from runhive.params import Augment
from runhive.preprocess import Pixels, load_rgb, to_chw

RATIO = (3 / 4, 4 / 3)  # of a crop's width to its height, Szegedy et al. 2015


def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order in which epoch *epoch* sees *n* images."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def split_into_batches(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Cut *order* into batches. A single image left over joins the last batch: batch-norm cannot learn from one."""
    starts = range(batch_size, len(order), batch_size)
    if len(order) % batch_size == 1:
        starts = starts[:-1]
    return np.split(order, starts)


def augmented_batches(
    paths: Sequence[Path], batches: Sequence[NDArray[np.int64]], size: int, augment: Augment, seed: int, epoch: int
) -> Iterator[Pixels]:
    """Yield augmented (n, 3, size, size) *batches* of *paths*; the next one is decoded meanwhile."""

    def one(index: int) -> Pixels:
        rng = np.random.default_rng([seed, epoch, index, 1])
        return to_chw(augment_image(load_rgb(paths[index]), rng, size, augment))

    with ThreadPoolExecutor() as pool:
        ahead = [pool.submit(one, int(index)) for index in batches[0]]
        for following in [*batches[1:], batches[0][:0]]:
            ready, ahead = ahead, [pool.submit(one, int(index)) for index in following]
            yield np.stack([future.result() for future in ready])


def augment_image(image: PIL.Image.Image, rng: Generator, size: int, augment: Augment) -> PIL.Image.Image:
    """Crop a random box, resize it to *size* squared and mirror it by chance."""
    box = random_box(rng, image.width, image.height, augment.min_scale)
    cropped = image.crop(box).resize((size, size), PIL.Image.Resampling.BILINEAR)
    if augment.flip and rng.random() < 0.5:
        return cropped.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    return cropped


def random_box(rng: Generator, width: int, height: int, min_scale: float) -> tuple[int, int, int, int]:
    """Draw a box of *min_scale* to all of the area; after ten that do not fit, the largest central one in ratio.

    The rule of torchvision's RandomResizedCrop.
    """
    for _ in range(10):
        area = width * height * rng.uniform(min_scale, 1)
        ratio = exp(rng.uniform(log(RATIO[0]), log(RATIO[1])))
        w, h = round(sqrt(area * ratio)), round(sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    w, h = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
