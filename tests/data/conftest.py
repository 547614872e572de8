"""Data sets drawn in a temporary folder."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Write noise that is a function of the file's name, so that no two names give the same image."""

    def write(path: Path, size: tuple[int, int] = (12, 10), **options: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = size
        pixels = np.random.default_rng(zlib.crc32(path.as_posix().encode())).integers(0, 256, (height, width, 3))
        PIL.Image.fromarray(pixels.astype(np.uint8)).save(path, **options)
        return path

    return write


@pytest.fixture
def data_set(tmp_path: Path, draw: Draw) -> Path:
    """A folder with two classes: three images each to train, two each to validate."""
    folder = tmp_path / "source"
    for split, count in (("train", 3), ("val", 2)):
        for label in ("ants", "bees"):
            for index in range(count):
                draw(folder / split / label / f"{index}.png")
    return folder


@pytest.fixture
def zipped(tmp_path: Path, data_set: Path) -> Path:
    """The data set as a zip, under a folder of its own, as archives on the web are."""
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(data_set.rglob("*.png")):
            file.write(path, Path("insects") / path.relative_to(data_set))
    return archive


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that one stands in."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return folder
