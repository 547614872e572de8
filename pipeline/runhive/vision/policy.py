"""torchvision's RandAugment and TrivialAugmentWide, drawn from a generator that is passed in.

Their own draws come from torch's one global generator, which threads would take from in any order.
"""

from numpy.random import Generator
from torch import Tensor
from torchvision.transforms import v2

POLICIES = {"randaugment": v2.RandAugment, "trivialaugment": v2.TrivialAugmentWide}


def apply_policy(name: str, images: Tensor, rng: Generator) -> Tensor:
    """Change uint8 *images* (n, 3, height, width), all alike, as the policy does with torchvision's defaults."""
    policy = POLICIES[name]()
    space = list(policy._AUGMENTATION_SPACE.items())
    for _ in range(policy.num_ops if name == "randaugment" else 1):
        operation, (magnitudes_of, signed) = space[rng.integers(len(space))]
        magnitudes = magnitudes_of(policy.num_magnitude_bins, *images.shape[-2:])
        magnitude = 0.0
        if magnitudes is not None:
            magnitude = float(magnitudes[policy.magnitude if name == "randaugment" else rng.integers(len(magnitudes))])
        if signed and rng.random() < 0.5:
            magnitude = -magnitude
        images = policy._apply_image_or_video_transform(
            images, operation, magnitude, interpolation=policy.interpolation, fill=policy._fill
        )
    return images
