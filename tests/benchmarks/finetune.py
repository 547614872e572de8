"""Images per CPU second of whole-network training: the tutorial's loop, peers, the real `train` stage and its settings.

Every variant is a process that trains on the same few images; the figure is of its second epoch: reading,
augmentation, the steps, and measuring on two images of val.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import median

from harness import Cost, in_turn, ratios, run, script
from page import publish, table
from repository import make_repository, train

TUTORIAL = "the tutorial's loop"
ALONE = "the same without loader workers"
ALLOCATOR = "+ allocator keeps memory"  # which the stage does for grouped networks only
BATCH = {"resnet18": 32, "efficientnet_lite0": 16}
EPOCHS = 2
IMAGES = 128
# The stage with all of its settings off, then with one more in each row.
LADDER = {
    "the stage with all settings off": ("train.memory_format=contiguous", "train.precision=fp32", "train.cache=off"),
    "+ channels-last": ("train.memory_format=channels_last", "train.precision=fp32", "train.cache=off"),
    "+ images decoded once": ("train.memory_format=channels_last", "train.precision=fp32", "train.cache=full"),
    ALLOCATOR: ("train.memory_format=channels_last", "train.precision=fp32", "train.cache=full"),
    "+ bf16": ("train.memory_format=channels_last", "train.precision=bf16", "train.cache=full"),
}
AUTO = {"resnet18": "+ bf16", "efficientnet_lite0": ALLOCATOR}  # what `precision: auto` takes


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Both networks; random weights, which cost the same as any."""
    whole = make_repository(scratch / "whole", "hymenoptera", *([f"data.url={data}"] if data else []))
    images = few_images(whole / "data/images", scratch / "few")
    told = [mark.line.rsplit(" ", 1) for mark in run(script("roofline", *BATCH), scratch).marks]
    limits = {name: float(value) for name, value in told}
    tables = [compare(scratch, images, arch, rounds, limits) for arch in BATCH]
    peak = (
        f"The roofline is the fastest GEMM or convolution of the type: fp32 {limits['peak fp32']:.0f}, bf16 "
        f"{limits['peak bf16']:.0f} GFLOP per CPU second."
    )
    publish("finetune", "\n\n".join([*tables, peak]))


def few_images(images: Path, folder: Path) -> Path:
    """Copy IMAGES of train and two of val, the same number of each class."""
    for split, n in (("train", IMAGES // 2), ("val", 1)):
        for label in ("ants", "bees"):
            (folder / split / label).mkdir(parents=True)
            for image in sorted((images / split / label).iterdir())[:n]:
                shutil.copy2(image, folder / split / label)
    return folder


def compare(scratch: Path, images: Path, arch: str, rounds: int, limits: dict[str, float]) -> str:
    """The table of *arch*."""
    found = in_turn(variants(scratch, images, arch), rounds)
    seconds = {
        name: [one.between("epoch 1/", f"epoch {EPOCHS}/").cpu for one in costs] for name, costs in found.items()
    }
    steps = [name for name in LADDER if name in found]
    above = dict(zip(steps[1:], steps, strict=False))
    rows = []
    for name, costs in found.items():
        speed = IMAGES * (EPOCHS - 1) / median(seconds[name])
        share = speed * limits[f"training {arch}"] / limits["peak bf16" if "bf16" in name else "peak fp32"]
        rows.append(
            [
                f"**{name}** (`precision: auto`)" if name == AUTO[arch] else name,
                f"{speed:.1f}",
                ratios(seconds[TUTORIAL], seconds[name]),
                ratios(seconds[ALONE], seconds[name]),
                ratios(seconds[above[name]], seconds[name]) if name in above else "",
                f"{share:.0%}",
                f"{max(one.peak for one in costs) / 2**30:.2f}",
            ]
        )
    columns = (
        "images/CPU s",
        "times the tutorial's",
        "times it without workers",
        "times the row above",
        "of the roofline",
        "peak GiB",
    )
    return table((f"{arch}, batch {BATCH[arch]}", *columns), rows)


def variants(scratch: Path, images: Path, arch: str) -> dict[str, Callable[[], Cost]]:
    """What to run, by the name of its row."""
    batch = BATCH[arch]
    repository = make_repository(
        scratch / arch, "hymenoptera", "data.source=folder", f"data.url={images}", f"model.arch={arch}",
        "model.weights=none", f"train.batch_size={batch}", f"train.epochs={EPOCHS}",
    )  # fmt: skip

    def loop(name: str, *options: str) -> Callable[[], Cost]:
        given = (images, arch, "--weights", "none", "--epochs", EPOCHS, "--batch-size", batch)
        return lambda: run(script(name, *given, *options), scratch)

    def stage(name: str) -> Callable[[], Cost]:
        plain = list(LADDER).index(name) < list(LADDER).index(ALLOCATOR)
        return lambda: train(repository, *LADDER[name], command=script("plain_allocator", "train") if plain else None)

    return {
        TUTORIAL: loop("tutorial"),
        ALONE: loop("tutorial", "--workers", "0"),
        "timm": loop("peer_timm"),
        "timm, channels-last, bf16": loop("peer_timm", "--fast"),
        "Lightning": loop("peer_lightning"),
        "Lightning, bf16": loop("peer_lightning", "--precision", "bf16-mixed"),
        **{name: stage(name) for name in LADDER if name != ALLOCATOR or name == AUTO[arch]},
    }
