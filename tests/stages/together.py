"""Training in several processes, as one starts it, and the processes that one may lose."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from photos import Photos, make_photos

Told = TypeVar("Told")

EPOCHS = 20
RECIPE = (
    "model.arch=net:small", "train.mode=finetune", f"train.epochs={EPOCHS}", "train.select=val",
    "train.checkpoint_steps=2", "train.ema=0.9", "train.batch_size=8",
)  # fmt: skip
NET = """
from torch import nn

def small(num_classes):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, groups=4), nn.BatchNorm2d(32),
        nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, num_classes),
    )
"""


def make_ready(root: Path, *changes: str) -> Photos:
    """A repository with RECIPE and *changes*; the network is one's own, so no process waits for torchvision."""
    return make_photos(root, 48, 12, *RECIPE, *changes, own=NET)


def distributed(launcher: str = "torchrun", nodes: int | str = 1, processes: int = 2, timeout: int = 60) -> str:
    """The parameter `train.distributed`."""
    return (
        f"train.distributed={{launcher: {launcher}, nodes: {nodes!r}, processes_per_node: {processes}, "
        f"rendezvous: null, timeout_s: {timeout}, max_restarts: 3}}"
    )


def photos_for_each(folder: Path, *changes: str) -> tuple[Photos, Photos]:
    """The same repository twice: two machines share no files."""
    first = make_ready(folder / "first", *changes)
    return first, first.copy_to(folder / "second")


def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The processes that train below *process*, the first one first."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [one for one in below if one.is_running() and "runhive.stages.worker" in _told(one.cmdline, [])[:4]]


def worlds(process: "subprocess.Popen[str]") -> list[str]:
    """In how many processes each of the workers below *process* trains."""
    return [_told(one.environ, {}).get("WORLD_SIZE", "") for one in workers(process)]


def wait_until(process: "subprocess.Popen[str]", happened: Callable[[], object]) -> None:
    """Wait until it *happened*; the test fails where *process* ends before."""
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)


def switch_off(process: "subprocess.Popen[str]") -> None:
    """Kill *process* and all below it at once, as a machine that loses its power."""
    below = psutil.Process(process.pid).children(recursive=True)
    for one in [psutil.Process(process.pid), *below]:
        one.kill()
    process.communicate()


def wait_for_steps(process: "subprocess.Popen[str]", photos: Photos, world: int) -> None:
    """Wait until *process* trains as one of *world* processes, and then until they keep a step."""
    wait_until(process, lambda: worlds(process) == [str(world)])
    before = photos.kept()
    wait_until(process, lambda: photos.kept()[-1:] > before[-1:])


def under_way(photos: Photos) -> bool:
    """Were some steps kept, but not all?"""
    return len(photos.kept()) > 1


def _told(ask: Callable[[], Told], ended: Told) -> Told:
    """What a process says; *ended* of one that ended meanwhile."""
    try:
        return ask()
    except psutil.Error:
        return ended
