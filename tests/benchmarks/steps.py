"""`python pipeline train` with one part of its steps put aside, to tell what that part costs.

python tests/benchmarks/steps.py [in-memory] [free] train

`in-memory` gives each step the first epoch's first pixels again, so that nothing is read, decoded or cropped; `free`
lets cuDNN try algorithms and take ones that are not deterministic.
"""

import sys
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

import runhive.vision.train as training
from runhive.cli import main

decoded, learn_everything = training.augmented_batches, training._learn_everything
kept: dict[int, Tensor] = {}


def in_memory(images, batches: Sequence, *how) -> Iterator[Tensor]:
    """The pixels of the first batch of each size, for all of that size."""
    for batch in batches:
        if len(batch) not in kept:
            kept[len(batch)] = next(iter(decoded(images, [batch], *how)))
        yield kept[len(batch)]


def learn_freely(*arguments):
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True
    return learn_everything(*arguments)


if "in-memory" in sys.argv:
    training.augmented_batches = in_memory
if "free" in sys.argv:
    training._learn_everything = learn_freely
sys.argv = [sys.argv[0], "train"]
main()
