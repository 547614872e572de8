"""A fetch that is killed at any moment leaves what was there or nothing, and the next one heals it."""

import os
import random
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from misbehaving import Answer, Handler, body, serving

import runhive
from runhive.formats.manifest import read_manifest

Draw = Callable[..., Path]
PROGRAM = """
import sys
from fetching import fetch
print("ready", flush=True)
sys.stdin.readline() or sys.exit()
fetch("archive", sys.argv[1], "error", allow_http=True)
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


def prepare(archive: Path | str) -> subprocess.Popen[str]:
    """Start a process that does its imports and waits for a line before it fetches."""
    folders = (Path(runhive.__file__).parents[1], Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
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


@pytest.mark.fault(
    "fetch",
    "the process is killed, at any moment",
    wanted="the images that were there or none; the next fetch is whole",
)
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


def slowly(content: bytes, release: threading.Event, after: int) -> Answer:
    """The rest of *content*, which stops *after* bytes of it until it is released."""

    def answer(handler: Handler) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        place = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        handler.head(206 if start else 200, Content_Length=len(content) - start, ETag='"1"', **place)
        handler.wfile.write(content[start : start + after])
        release.wait(60)

    return answer


def wait_for_bytes(count: int) -> None:
    """Wait until that many bytes of a download are on the disk."""
    deadline = time.monotonic() + 60
    while sum(path.stat().st_size for path in Path("data").glob(".fetch-*/downloads/*/body")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.fault(
    "fetch",
    "the process is killed while it downloads",
    wanted="the next fetch asks for the rest only",
)
def test_a_download_that_is_killed_again_and_again_goes_on_where_it_was(repository: Path, archive: Path) -> None:
    content, release = archive.read_bytes(), threading.Event()
    step = len(content) // 4
    with serving() as server:
        url = f"http://{server.address}/set.zip"
        processes = [prepare(url) for _ in range(4)]
        server.answers["*"] = [slowly(content, release, step) for _ in range(3)] + [body(content)]
        for count, process in enumerate(processes[:3], start=1):
            begin(process)
            wait_for_bytes(count * step)
            process.kill()
            process.communicate()
            assert not IMAGES.exists()
        finish(processes[3])
        release.set()

    assert server.ranges() == [None, *(f"bytes={count * step}-" for count in (1, 2, 3))]
    assert len(read_manifest(MANIFEST)) == 200
    assert sorted(path.name for path in Path("data").iterdir()) == ["images", "manifest.csv", "report.json"]
