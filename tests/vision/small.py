"""Parameters and a network of one's own that are small enough to train in a second."""

from runhive.params import Params, parse_params
from runhive.presets import presets, with_changes

OWN = """
from torch import nn

def net(num_classes):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, num_classes),
    )

def two_heads(num_classes):
    return nn.ModuleDict({"a": nn.Linear(2, num_classes), "b": nn.Linear(2, num_classes)})

def no_module(num_classes):
    return 3

constant = 3
"""


def params(*changes: str) -> Params:
    """The folder preset for images of 32 pixels, with *changes*."""
    small = ("model.image_size=32", "model.resize_size=32", "model.weights=none", "train.batch_size=4")
    return parse_params(with_changes(presets()["folder"], [*small, *changes]))
