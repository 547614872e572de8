"""Random crops and mirrors for training, each a function of (seed, epoch, image)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from runhive.params import Augment
from runhive.preprocess import Load, Pixels, ahead, load_pixels

RATIO = (3 / 4, 4 / 3)  # of a crop's width to its height, Szegedy et al. 2015


@dataclass(frozen=True)
class Labelled:
    """Image files, their labels as indices into the classes, and how their pixels are had."""

    paths: Sequence[Path]
    labels: Sequence[int]
    load: Load = load_pixels


def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order in which epoch *epoch* sees *n* images."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def split_into_batches(order: NDArray[np.int64], batch_size: int, least: int = 2) -> list[NDArray[np.int64]]:
    """Cut *order* into batches. Fewer than *least* images left over join the last: batch-norm cannot learn from one."""
    starts = range(batch_size, len(order), batch_size)
    if 0 < len(order) % batch_size < least:
        starts = starts[:-1]
    return np.split(order, starts)


def augmented_batches(
    images: Labelled, batches: Sequence[NDArray[np.int64]], size: int, augment: Augment, seed: int, epoch: int
) -> Iterator[Tensor]:
    """Yield augmented (n, 3, size, size) uint8 *batches* of *images*; the next two are prepared meanwhile.

    What an image becomes does not depend on the batch that it is in.
    """

    def one(index: int) -> Tensor:
        rng = np.random.default_rng([seed, epoch, index, 1])
        return augment_image(images.load(images.paths[index]), rng, size, augment)

    if not batches:
        return
    pixels = ahead(one, np.concatenate(batches).tolist(), most=2 * max(map(len, batches)))
    for batch in batches:
        yield torch.cat(list(islice(pixels, len(batch))))


def augment_image(pixels: Pixels, rng: Generator, size: int, augment: Augment) -> Tensor:
    """Crop a random box, mirror it by chance, resize it to *size* squared and apply the policy: (1, 3, size, size)."""
    height, width, _ = pixels.shape
    left, top, right, bottom = random_box(rng, width, height, augment.min_scale)
    step = -1 if augment.flip and rng.random() < 0.5 else 1
    crop = torch.from_numpy(pixels[top:bottom, left:right][:, ::step].copy()).permute(2, 0, 1)[None]
    image = functional.interpolate(crop, (size, size), mode="bilinear", antialias=True)
    if augment.policy == "none":
        return image
    from runhive.vision.policy import apply_policy  # here, because torchvision takes a second to import

    return apply_policy(augment.policy, image, rng)


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
