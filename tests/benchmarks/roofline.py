"""What the processor can do at most: the fastest GEMM and convolution of each type, and what a network needs.

Prints a line a figure: `peak fp32 117.2` (GFLOP/s) and `training resnet18 10.65` (GFLOP per image).

    python tests/benchmarks/roofline.py resnet18
"""

import sys
from collections.abc import Callable
from time import process_time

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from runhive.vision.model import build_backbone

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SECONDS = 1.5


def fastest(step: Callable[[], object], flop: float) -> float:
    """The best GFLOP per second of processor time among the calls of a short while."""
    step()
    best, ends = 0.0, process_time() + SECONDS
    while process_time() < ends:
        began = process_time()
        step()
        best = max(best, flop / (process_time() - began) / 1e9)
    return best


def gemm(kind: torch.dtype, size: int = 2048) -> float:
    a, b = torch.randn(size, size, dtype=kind), torch.randn(size, size, dtype=kind)
    return fastest(lambda: a @ b, 2 * size**3)


def convolution(kind: torch.dtype, channels: int, side: int, images: int = 16) -> float:
    """A 3x3 convolution as in the middle of a ResNet."""
    x = torch.randn(images, channels, side, side, dtype=kind).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, dtype=kind).contiguous(memory_format=torch.channels_last)
    flop = 2 * 9 * channels**2 * images * side**2
    return fastest(lambda: functional.conv2d(x, weight, padding=1), flop)


def training_gflop(arch: str) -> float:
    """GFLOP to train on one image: three forward passes, 2 for each multiplication with its sum."""
    network: nn.Module = build_backbone(arch, 2).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 224, 224))
    return 3 * counter.get_total_flops() / 1e9


def main() -> None:
    with torch.inference_mode():
        for name, kind in TYPES.items():
            shapes = ((64, 56), (128, 28), (256, 14))
            peak = max(gemm(kind), *(convolution(kind, *shape) for shape in shapes))
            print(f"peak {name} {peak:.1f}")
    for arch in sys.argv[1:]:
        print(f"training {arch} {training_gflop(arch):.3f}")


if __name__ == "__main__":
    main()
