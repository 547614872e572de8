"""The images that a model is scored on, by the name of their split."""

import difflib

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, read_manifest, split_of
from runhive.stages import paths


def evaluation_images(split: str) -> list[Image]:
    """The images of *split*. Raises RunhiveError where the data set has none."""
    images = read_manifest(paths.MANIFEST)
    found = split_of(images, split)
    if not found:
        names = sorted({image.split for image in images} - {"train"})
        near = difflib.get_close_matches(split, names, 1, 0.5) or names[-1:]
        raise RunhiveError(
            f"params.yaml: evaluate.split: the data set has no {split} images: set it to {near[0]}, "
            f"of {', '.join(names)}"
        )
    return found
