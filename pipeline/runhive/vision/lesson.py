"""What is learned, how, and from which images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from runhive.formats.model_card import Preprocess
from runhive.params import Model, Train
from runhive.preprocess import input_batches
from runhive.vision.augment import Labelled, split_into_batches
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


def steps_of(lesson: Lesson) -> int:
    """Steps of the optimizer in an epoch."""
    return len(split_into_batches(np.arange(len(lesson.images.paths)), lesson.train.batch_size))


def check_inputs(lesson: Lesson, numerics: Numerics) -> Iterator[Tensor]:
    """The images that each epoch is measured on, in batches."""
    size, check = MEASURE_BATCH[numerics.device.type], lesson.check
    return map(torch.from_numpy, input_batches(check.paths, preprocess_of(lesson.model), size, check.load))
