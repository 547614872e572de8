"""What is learned, how, and from which images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runhive.formats.preprocess import Preprocess
from runhive.params import Model, Train
from runhive.preprocess import input_batches
from runhive.vision.augment import Labelled
from runhive.vision.device import MEASURE_BATCH, Numerics
from runhive.vision.model import normalisation


@dataclass(frozen=True)
class Lesson:
    """What is learned, how, from which images, and on which it is measured after each epoch."""

    model: Model
    train: Train
    images: Labelled
    check: Labelled


def preprocess_of(model: Model) -> Preprocess:
    """How an image becomes the input of *model*."""
    mean, std = normalisation(model.arch)
    return Preprocess(image_size=model.image_size, resize_size=model.resize_size, mean=mean, std=std)


def check_batches(n: int, numerics: Numerics) -> list[NDArray[np.int64]]:
    """How *n* images are cut into batches where nothing is learned from them, the same for any number of processes."""
    return np.split(np.arange(n), range(size := MEASURE_BATCH[numerics.device.type], n, size))


def check_inputs(lesson: Lesson, numerics: Numerics) -> Iterator[tuple[Tensor, Tensor]]:
    """This process's share of the batches that each epoch is measured on: inputs and labels."""
    size, check = MEASURE_BATCH[numerics.device.type], lesson.check
    share = numerics.world.share(check_batches(len(check.paths), numerics))
    paths = [check.paths[index] for batch in share for index in batch]
    inputs = input_batches(paths, preprocess_of(lesson.model), size, check.load)
    for batch, pixels in zip(share, inputs, strict=True):
        yield torch.from_numpy(pixels), torch.tensor([check.labels[index] for index in batch])
