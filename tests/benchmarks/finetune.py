"""Images per CPU second of whole-network training: settings one after another, peers, and the real `train` stage.

Every variant is a process that trains on the same few images; the figure is of its epochs after the first, augmentation
and measuring on val included.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import median

from harness import Cost, in_turn, ratios, run, script
from page import publish, table
from repository import make_repository, train

MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
BATCH = {"resnet18": 32, "efficientnet_lite0": 16}
EPOCHS = 3
IMAGES = 96


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Both networks; random weights, which cost the same as any."""
    whole = make_repository(scratch / "whole", "hymenoptera", *([f"data.url={data}"] if data else []))
    few = few_images(whole / "data/images", scratch / "few")
    peaks = dict(line.rsplit(" ", 1) for line in lines(run(script("roofline", *BATCH), scratch)))
    tables = [compare(scratch, few, arch, rounds, {key: float(peak) for key, peak in peaks.items()}) for arch in BATCH]
    peak = f"Fastest convolution or GEMM: fp32 {peaks['peak fp32']}, bf16 {peaks['peak bf16']} GFLOP per CPU second."
    publish("finetune", "\n\n".join([*tables, peak]))


def few_images(images: Path, folder: Path) -> Path:
    """Copy IMAGES of train and two of val, the same number of each class."""
    for split, n in (("train", IMAGES // 2), ("val", 1)):
        for label in ("ants", "bees"):
            (folder / split / label).mkdir(parents=True)
            for image in sorted((images / split / label).iterdir())[:n]:
                shutil.copy2(image, folder / split / label)
    return folder


def compare(scratch: Path, images: Path, arch: str, rounds: int, peaks: dict[str, float]) -> str:
    """The table of *arch*."""
    given = (images, arch, "--weights", "none", "--epochs", EPOCHS, "--batch-size", BATCH[arch])
    repository = make_repository(
        scratch / arch, "hymenoptera", "data.source=folder", f"data.url={images}", f"model.arch={arch}",
        "model.weights=none", f"train.batch_size={BATCH[arch]}", f"train.epochs={EPOCHS}",
    )  # fmt: skip

    def loop(name: str, *options: str, environment: dict[str, str] | None = None) -> Callable[[], Cost]:
        return lambda: run(script(name, *given, *options), scratch, environment)

    settings = ("--with", "channels_last", "bf16", "cached")
    variants = {
        "the tutorial's loop": loop("tutorial"),
        "+ channels-last": loop("settings", *settings[:2]),
        "+ bf16": loop("settings", *settings[:3]),
        "+ decoded once, v2": loop("settings", *settings),
        "+ malloc keeps pages": loop("settings", *settings, environment=MALLOC),
        "timm": loop("peer_timm"),
        "timm, channels-last, bf16": loop("peer_timm", "--fast"),
        "Lightning": loop("peer_lightning"),
        "Lightning, bf16-mixed": loop("peer_lightning", "--precision", "bf16-mixed"),
        "`python pipeline train`, fp32": lambda: train(repository, "train.precision=fp32"),
        "`python pipeline train`, bf16": lambda: train(repository, "train.precision=bf16"),
        "`python pipeline train`, auto": lambda: train(repository, "train.precision=auto"),
    }
    found = {
        name: [cost.between("epoch 1/", f"epoch {EPOCHS}/").cpu for cost in costs]
        for name, costs in in_turn(variants, rounds).items()
    }
    base = found["the tutorial's loop"]
    rows = []
    for name, seconds in found.items():
        speed = IMAGES * (EPOCHS - 1) / median(seconds)
        kind = "bf16" if "bf16" in name or name.startswith("+") and name != "+ channels-last" else "fp32"
        share = 100 * speed * peaks[f"training {arch}"] / peaks[f"peak {kind}"]
        rows.append([name, f"{speed:.1f}", ratios(base, seconds), f"{share:.0f} %"])
    header = (f"{arch}, batch {BATCH[arch]}", "images/CPU s", "times the tutorial's", "of the roofline")
    return table(header, rows)


def lines(cost: Cost) -> list[str]:
    return [mark.line for mark in cost.marks]
