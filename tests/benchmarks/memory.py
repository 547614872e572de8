"""Peak memory of the real `train` stage: the presets, batch 32 in fp32, and 1,000 against 10,000 images.

The peak is the kernel's (VmHWM, ru_maxrss): pages of the process that were in memory at once, mapped files included.
"""

from pathlib import Path
from shutil import rmtree

import numpy as np
import PIL.Image
from harness import Cost, say
from page import publish, table
from repository import make_repository, train

MANY = (1_000, 10_000)
PRESETS = {
    "preset hymenoptera, resnet18, finetune, batch 4": (),
    "the same, efficientnet_lite0": ("model.arch=efficientnet_lite0",),
    "the same, frozen": ("model.arch=efficientnet_lite0", "train.mode=frozen", "train.epochs=25"),
    "resnet18, finetune, batch 32, fp32": ("train.batch_size=32", "train.precision=fp32"),
    "efficientnet_lite0, finetune, batch 32, fp32": (
        "model.arch=efficientnet_lite0", "train.batch_size=32", "train.precision=fp32",
    ),
}  # fmt: skip
SMALL = (
    "model.weights=none",
    "train.mode=finetune",
    "train.batch_size=32",
    "model.image_size=64",
    "model.arch=resnet18",
)


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Two epochs each: the second makes no new tensors."""
    source = [f"data.url={data}"] if data else []
    repository = make_repository(scratch / "presets", "hymenoptera", *source)
    rows = []
    for name, changes in PRESETS.items():
        say(name)
        plain = (
            "model.arch=resnet18",
            "model.weights=none",
            "train.epochs=2",
            "train.batch_size=4",
            "train.mode=finetune",
        )
        rows.append([name, gib(train(repository, *plain, "train.precision=auto", *changes)), ""])
    say("preset digits")
    digits = make_repository(scratch / "digits", "digits")
    rows.append(["preset digits, as it is", gib(train(digits)), ""])
    many = [of_many(scratch, repository / "data/images/train", n) for n in MANY]
    for n, cost in zip(MANY, many, strict=True):
        rows.append([f"{n:,} photos, resnet18 at 64 pixels, batch 32", gib(cost), announced(cost)])
    publish(
        "memory",
        table(
            ("`python pipeline train`, ants and bees", "peak GiB", "cache on disk, as said before it is written"), rows
        )
        + f"\n\n{MANY[1]:,} images against {MANY[0]:,}: **{many[1].peak / many[0].peak:.2f}** times the memory.",
    )


def of_many(scratch: Path, photos: Path, n: int) -> Cost:
    """One epoch on *n* distinct images, cut from *photos*."""
    say(f"{n:,} images")
    folder = scratch / f"cut-{n}"
    cut_images(sorted(photos.rglob("*.jpg")), folder, n)
    changes = (f"data.url={folder}", "data.on_bad=error", *SMALL, "train.epochs=1")
    repository = make_repository(scratch / f"repository-{n}", "folder", *changes)
    cost = train(repository)
    rmtree(repository)
    rmtree(folder)
    return cost


def cut_images(photos: list[Path], folder: Path, n: int) -> None:
    """Write *n* windows of *photos*, 300 to 360 pixels wide, to train, and one of each class to val."""
    rng = np.random.default_rng(0)
    for index in range(n + 2):
        target = folder / ("val" if index >= n else "train") / f"class-{index % 2}"
        target.mkdir(parents=True, exist_ok=True)
        with PIL.Image.open(photos[index % len(photos)]) as photo:
            width = int(rng.integers(300, 361))
            left, top = (int(rng.integers(0, max(1, side - 240))) for side in photo.size)
            window = photo.convert("RGB").crop((left, top, left + width, top + 240))
        window.save(target / f"{index:05d}.jpg", quality=80)


def gib(cost: Cost) -> str:
    return f"{cost.peak / 2**30:.2f}"


def announced(cost: Cost) -> str:
    """The sizes that train said before it wrote its cache."""
    said = [mark.line.rpartition(": ")[2] for mark in cost.marks if mark.line.startswith("decoding ")]
    return " + ".join(said)
