"""Drawn images, and a folder that holds a network of one's own."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import pytest
import torch
from small import OWN, params

from runhive.params import Model, Train
from runhive.vision.augment import Labelled


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
