"""The images that a model is scored on, by the name of their split."""

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, read_manifest, split_of
from runhive.stages import paths


def evaluation_images(split: str) -> list[Image]:
    """The images of *split*. Raises RunhiveError where the data set has none."""
    images = split_of(read_manifest(paths.MANIFEST), split)
    if not images:
        raise RunhiveError(f"params.yaml: evaluate.split: the data set has no {split} images: set it to val")
    return images
