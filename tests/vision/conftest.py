"""A network of a person's own, small enough to train in a second, and drawn images for it."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import pytest
import torch

from runhive.params import Model, Params, Train, parse_params
from runhive.presets import presets, with_changes
from runhive.vision.train import Labelled

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


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Threads that wait for one another spin, and the networks here are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The architecture `own:net`, whose file lies in a folder that Python imports from."""
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    return "own:net"


def params(*changes: str) -> Params:
    """The folder preset for images of 32 pixels, with *changes*."""
    small = ("model.image_size=32", "model.resize_size=32", "model.weights=none", "train.batch_size=4")
    return parse_params(with_changes(presets()["folder"], [*small, *changes]))


@pytest.fixture
def recipe(own: str) -> tuple[Model, Train]:
    """The own architecture, finetuned over four epochs with momentum."""
    found = params(f"model.arch={own}", "train.mode=finetune", "train.epochs=4", "train.lr=0.05")
    return found.model, found.train


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """Ten images: red discs are 0, green bars are 1."""
    folder = tmp_path_factory.mktemp("drawn")
    chance = random.Random(0)
    paths, labels = [], []
    for index in range(10):
        image = PIL.Image.new("RGB", (chance.randrange(36, 50), chance.randrange(36, 50)), (120, 120, 120))
        draw, box = PIL.ImageDraw.Draw(image), (4, 4, chance.randrange(24, 34), chance.randrange(24, 34))
        if index % 2:
            draw.rectangle(box, fill=(30, 200, 30))
        else:
            draw.ellipse(box, fill=(220, 30, 30))
        image.save(folder / f"{index}.png")
        paths.append(folder / f"{index}.png")
        labels.append(index % 2)
    return Labelled(paths, labels)
