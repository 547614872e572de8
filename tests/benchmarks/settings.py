"""The tutorial's loop with one setting after another, to see what each gives.

    python tests/benchmarks/settings.py IMAGES resnet18 --batch-size 32 --with channels_last bf16 cached
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.datasets import ImageFolder
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

import tutorial
from runhive.vision.model import normalisation

SETTINGS = ("channels_last", "bf16", "cached")


class Autocast(nn.Module):
    """*network* with its forward pass, and so its gradients' products, in bfloat16."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(images)
        return logits.float()


class Cached:
    """The images decoded once to uint8 in memory, and the tutorial's augmentation on tensors, torchvision's v2."""

    def __init__(self, folder: Path, arch: str, batch_size: int) -> None:
        self.samples = [
            (decode_image(path, ImageReadMode.RGB), label) for path, label in ImageFolder(folder / "train").samples
        ]
        self.batch_size = batch_size
        self.crop = v2.Compose([v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()])
        self.normalise = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(*normalisation(arch))])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for part in torch.randperm(len(self.samples)).split(self.batch_size):
            images, labels = zip(*(self.samples[index] for index in part), strict=True)
            yield self.normalise(torch.stack([self.crop(image) for image in images])), torch.tensor(labels)


def to_channels_last(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    return (inputs[0].contiguous(memory_format=torch.channels_last),)


def main() -> None:
    parser = tutorial.arguments(__doc__)
    parser.add_argument("--with", dest="settings", nargs="*", choices=SETTINGS, default=[])
    given = parser.parse_args()
    torch.manual_seed(0)
    loaders = tutorial.make_loaders(given.images, given.arch, given.batch_size)
    network = tutorial.make_network(given.arch, len(loaders["train"].dataset.classes), given.weights)
    batches: tutorial.Batches = loaders["train"]
    if "channels_last" in given.settings:
        network.to(memory_format=torch.channels_last)
        network.register_forward_pre_hook(to_channels_last)
    if "bf16" in given.settings:
        network = Autocast(network)
    if "cached" in given.settings:
        batches = Cached(given.images, given.arch, given.batch_size)
    tutorial.train(network, list(network.parameters()), batches, loaders["val"], given.epochs)


if __name__ == "__main__":
    main()
