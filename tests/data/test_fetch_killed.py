"""A fetch that is killed at any moment leaves what was there or nothing, and the next one heals it."""

import os
import random
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
sys.stdin.readline() or sys.exit()
fetch("archive", sys.argv[1], "error")
"""
MANIFEST = Path("data/manifest.csv")
IMAGES = Path("data/images")
REPORT = Path("data/report.json")
KILLS = 8


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


def prepare(archive: Path) -> subprocess.Popen[str]:
    """Start a process that does its imports and waits for a line before it fetches."""
    environment = os.environ | {"PYTHONPATH": str(Path(runhive.__file__).parents[1])}
    command = [sys.executable, "-c", PROGRAM, str(archive)]
    return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def begin(process: subprocess.Popen[str]) -> None:
    """Let *process* fetch."""
    assert process.stdin and process.stdout
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> float:
    """Let *process* fetch to the end and return the seconds that it took."""
    begin(process)
    began = time.monotonic()
    process.communicate()
    assert process.returncode == 0
    return time.monotonic() - began


def test_a_fetch_killed_at_random_is_healed_by_the_next(repository: Path, archive: Path) -> None:
    first, *killed, last = [prepare(archive) for _ in range(KILLS + 2)]
    seconds = finish(first)
    whole = {path: path.stat().st_size for path in IMAGES.rglob("*.png")}
    manifest, report = MANIFEST.read_bytes(), REPORT.read_bytes()
    assert len(whole) == 200

    for process in killed:
        begin(process)
        time.sleep(random.uniform(0, seconds))
        process.kill()
        process.communicate()
        if IMAGES.exists():
            assert {path: path.stat().st_size for path in IMAGES.rglob("*.png")} == whole
        if MANIFEST.exists():
            assert all((IMAGES / image.path).exists() for image in read_manifest(MANIFEST))

    finish(last)
    assert MANIFEST.read_bytes() == manifest
    assert REPORT.read_bytes() == report
    assert sorted(path.name for path in Path("data").iterdir()) == ["images", "manifest.csv", "report.json"]
