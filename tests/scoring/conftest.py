"""A small model and images that it tells apart."""

import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tiny_model import Draw, write_model


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    return write_model(tmp_path / "colours.onnx")


@pytest.fixture
def draw() -> Draw:
    """Write an image whose colours are a function of its name."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng(zlib.crc32(path.name.encode()))
        pixels = chance.integers(0, 256, (40, 50, 3)) * chance.dirichlet([0.3] * 3)
        PIL.Image.fromarray(pixels.astype(np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def photos(tmp_path: Path, draw: Draw) -> Path:
    """A folder of 23 images in two folders, with things that are none."""
    folder = tmp_path / "photos"
    for index in range(20):
        draw(folder / "a" / f"{index:02d}.png")
    for name in ("x.JPG", "y.jpeg", "z.bmp"):
        draw(folder / "b" / name)
    (folder / "b" / "labels.csv").write_text("no image")
    (folder / ".hidden").mkdir()
    draw(folder / ".hidden" / "h.png")
    draw(folder / "b" / ".h.png")
    return folder
