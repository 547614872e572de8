"""The training images from which the ranges of eight-bit numbers are taken, and never others."""

from collections.abc import Iterator, Sequence

import numpy as np

from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.manifest import Image, read_manifest, split_of
from runhive.formats.preprocess import Preprocess
from runhive.mistakes import one_line
from runhive.preprocess import Pixels, input_batches
from runhive.stages import paths


def calibration_images(most: int, evaluated: Sequence[Image]) -> list[Image]:
    """At most *most* training images, spread evenly over the manifest and so over the classes.

    Raises RunhiveError where one of them is not at hand. An image that is also *evaluated* is not taken.
    """
    known = {image.sha256 for image in evaluated}
    train = [image for image in split_of(read_manifest(paths.MANIFEST), "train") if image.sha256 not in known]
    chosen = [
        train[row] for row in np.unique(np.linspace(0, len(train) - 1, min(most, len(train))).round().astype(int))
    ]
    for image in chosen:
        path = paths.IMAGES / image.path
        if not path.exists() or sha256_of(path) != image.sha256:
            raise RunhiveError(
                f"int8 is calibrated on training images, and {one_line(str(path))} is not here as {paths.MANIFEST} "
                "lists it: run `dvc checkout data/images` or `dvc pull`, or take int8 out of export.variants"
            )
    if not chosen:
        raise RunhiveError("int8 is calibrated on training images, and none is left: take int8 out of export.variants")
    return chosen


def calibration_batches(images: Sequence[Image], preprocess: Preprocess) -> Iterator[Pixels]:
    """The inputs that these images give."""
    return input_batches([paths.IMAGES / image.path for image in images], preprocess, 8)
