"""On one GPU: whole-network training from JPEGs beside the same with its batches in memory, timm, and free algorithms.

The figure is wall time of the epochs after the first. The JPEGs are windows cut from the photos of ants and bees.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from harness import Cost, in_turn, ratios, run, script
from memory import cut_images
from page import machine, table
from repository import make_repository, train

IMAGES, BATCH, EPOCHS = 10_000, 64, 4
JPEGS = "the stage, JPEGs decoded in each epoch"
CACHED = "the stage, images decoded once"
IN_MEMORY = "the same step, batches in memory"
FREE = "the same, cuDNN free to choose algorithms"
TIMM = "timm, channels-last, bf16, JPEGs"


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Print a table for each network. Ends with a line where there is no GPU."""
    if not torch.cuda.is_available():
        raise SystemExit("benchmarks: gpu: no CUDA device here: run it on a machine with a GPU, or mend the driver")
    photos = make_repository(scratch / "photos", "hymenoptera", *([f"data.url={data}"] if data else []))
    cut_images(sorted((photos / "data/images/train").rglob("*.jpg")), scratch / "images", IMAGES)
    gpu = f"{torch.cuda.get_device_name()}, batch {BATCH}, {IMAGES:,} images"
    for arch in ("resnet18", "efficientnet_lite0"):
        found = in_turn(variants(scratch, arch, BATCH), rounds)
        print(f"{compare(f'{arch}, {gpu}', found, IMAGES)}\n")
    print(machine())


def variants(scratch: Path, arch: str, batch: int) -> dict[str, Callable[[], Cost]]:
    """What to run, by the name of its row, on the images in the folder `images` of *scratch*."""
    images = scratch / "images"
    repository = make_repository(
        scratch / arch, "folder", f"data.url={images}", "data.on_bad=error", f"model.arch={arch}",
        "model.weights=none", f"train.batch_size={batch}", f"train.epochs={EPOCHS}", "train.mode=finetune",
        "train.precision=bf16",
    )  # fmt: skip

    def stage(cache: str, *wrapper: str) -> Callable[[], Cost]:
        command = script("steps", *wrapper, "train") if wrapper else None
        return lambda: train(repository, f"train.cache={cache}", command=command)

    words = (images, arch, "--weights", "none", "--epochs", EPOCHS, "--batch-size", batch, "--workers", 16, "--fast")
    return {
        JPEGS: stage("off"),
        CACHED: stage("full"),
        IN_MEMORY: stage("off", "in-memory"),
        FREE: stage("off", "in-memory", "free"),
        TIMM: lambda: run(script("peer_timm", *words), scratch),
    }


def compare(title: str, found: dict[str, list[Cost]], images: int) -> str:
    """Images a second, and each variant's speed beside that of batches in memory: what reading and decoding cost."""
    seconds = {
        name: [one.between("epoch 1/", f"epoch {EPOCHS}/").wall for one in costs] for name, costs in found.items()
    }
    rows = [
        [name, f"{images * (EPOCHS - 1) / median(times):,.0f}", ratios(seconds[IN_MEMORY], times)]
        for name, times in seconds.items()
    ]
    return table((title, "images/s", "speed of it over that of batches in memory"), rows)
