"""A repository with images and their manifest, and two machines of one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from namespaces import Machine, two_machines, why_not

from runhive.files import sha256_of
from runhive.formats.manifest import Image, write_manifest
from runhive.stages import paths

SIZES = [(50, 37), (37, 50), (20, 20), (61, 33)]  # of each split


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """Noisy JPEGs of two classes in two splits, and the manifest that lists them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    subprocess.run(["git", "init", "-q", "-b", "main"], check=True)
    chance = np.random.default_rng(0)
    found = []
    for split in ("train", "val"):
        for index, (width, height) in enumerate(SIZES):
            label = ("ants", "bees")[index % 2]
            path = f"{split}/{label}/{index}.jpg"
            (paths.IMAGES / path).parent.mkdir(parents=True, exist_ok=True)
            pixels = chance.integers(256, size=(height, width, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(paths.IMAGES / path, quality=95)
            found.append(Image(path, split, label, sha256_of(paths.IMAGES / path), width, height))
    write_manifest(paths.MANIFEST, found)
    return found


@pytest.fixture
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Joined by a network; each is a network namespace of its own."""
    if reason := why_not():
        pytest.fail(reason) if os.environ.get("RUNHIVE_NAMESPACES") else pytest.skip(reason)
    with two_machines() as both:
        yield both
