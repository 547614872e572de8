"""A fetch that is killed at any moment leaves what was there or nothing, and the next one heals it."""

import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import runhive
from runhive.formats.manifest import read_manifest

Draw = Callable[..., Path]
PROGRAM = """
import sys
from runhive.stages.fetch import fetch
print("ready", flush=True)
fetch("archive", sys.argv[1], "error")
"""
MANIFEST = Path("data/manifest.csv")
IMAGES = Path("data/images")


@pytest.fixture
def archive(tmp_path: Path, draw: Draw) -> Path:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as file:
        for split in ("train", "val"):
            for label in ("ants", "bees"):
                for index in range(50):
                    name = f"{split}/{label}/{index}.png"
                    file.write(draw(tmp_path / "drawn" / name, size=(80, 60)), name)
    return path


def start(archive: Path) -> subprocess.Popen[str]:
    """Start a fetch and return when its imports are done."""
    environment = os.environ | {"PYTHONPATH": str(Path(runhive.__file__).parents[1])}
    command = [sys.executable, "-c", PROGRAM, str(archive)]
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate()
    assert process.returncode == 0


def test_a_fetch_killed_at_random_is_healed_by_the_next(repository: Path, archive: Path) -> None:
    process = start(archive)
    began = time.monotonic()
    finish(process)
    seconds = time.monotonic() - began
    whole = {path: path.stat().st_size for path in IMAGES.rglob("*.png")}
    manifest, report = MANIFEST.read_bytes(), Path("data/report.json").read_bytes()
    assert len(whole) == 200

    for _ in range(8):
        process = start(archive)
        time.sleep(random.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if IMAGES.exists():
            assert {path: path.stat().st_size for path in IMAGES.rglob("*.png")} == whole
        if MANIFEST.exists():
            assert all((IMAGES / image.path).exists() for image in read_manifest(MANIFEST))

    finish(start(archive))
    assert MANIFEST.read_bytes() == manifest
    assert Path("data/report.json").read_bytes() == report
    assert sorted(path.name for path in Path("data").iterdir()) == ["images", "manifest.csv", "report.json"]
