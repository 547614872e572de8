"""Answers of EfficientNet-Lite0 on the CPU: torch against the exported variants, and `runhive predict` as a whole."""

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import PIL.Image
from bare_download import downloading
from harness import Cost, in_turn, run, script
from page import publish, table
from repository import STAGE, make_repository, train

MANY = (1_000, 100_000)
CHANGES = ("model.arch=efficientnet_lite0", "train.mode=frozen", "train.epochs=25")
FILES = {"fp32": "models/model.onnx", "fp16": "models/variants/fp16.onnx", "int8": "models/variants/int8.onnx"}


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Ants and bees, frozen backbone, 25 epochs."""
    source = [f"data.url={data}"] if data else []
    repository = make_repository(scratch / "lite0", "hymenoptera", *CHANGES, *source)
    train(repository)
    exported = run([*STAGE, "export"], repository)
    tables = [
        engines(repository, rounds),
        predicting(repository, rounds),
        starting(repository, rounds),
        memory(scratch / "many", repository),
        downloading(scratch / "hub"),
    ]
    publish("inference", "\n\n".join(tables) + f"\n\n`export` with all three variants: {exported.cpu:.1f} CPU s.")


def engines(repository: Path, rounds: int) -> str:
    """Processor milliseconds of one image, alone and in a batch of 32."""
    told = last_line(run(script("engines", rounds), repository))
    rows = []
    for name, one in told["engines"].items():
        path = repository / FILES.get(name.rpartition(" ")[2], "models/model.safetensors")
        alone, many = one["milliseconds"].values()
        ratios = [spread(one["ratios"][size]) for size in ("1", "32")]
        size = f"{path.stat().st_size / 1e6:.1f}"
        rows.append([name, f"{alone:.2f}", ratios[0], f"{many:.2f}", ratios[1], one["changed"], size])
    header = (
        f"EfficientNet-Lite0, {told['images']} images", "CPU ms, batch 1", "times faster than eager",
        "CPU ms, batch 32", "times faster than eager", "answers changed", "MB",
    )  # fmt: skip
    return table(header, rows)


def predicting(repository: Path, rounds: int) -> str:
    """What `predict` takes for every image of the data set, beside decoding alone and answering alone."""
    rows = []
    for name in ("fp32", "int8"):
        told = last_line(run(script("scoring", rounds, FILES[name], "data/images"), repository))
        cpu = {part: [cost[0] for cost in told[part]] for part in ("decode", "answer", "predict")}
        shares = sorted(
            (decode + answer) / whole
            for decode, answer, whole in zip(cpu["decode"], cpu["answer"], cpu["predict"], strict=True)
        )
        each = [f"{median(cpu[part]):.2f}" for part in cpu]
        rows.append([f"{name}, {told['images']} images", *each, spread([100 * share for share in shares]) + " %"])
    return table(
        ("`predict`", "decoding alone, CPU s", "answering alone", "both as `predict`", "throughput of both"), rows
    )


def starting(repository: Path, rounds: int) -> str:
    """From the shell to the line of the first prediction, in a new process, beside the libraries alone."""
    image = next(path for path in sorted((repository / "data/images/val").rglob("*.jpg")))
    libraries = "import numpy, onnxruntime, PIL.Image; print('loaded')"
    commands = {
        "the first prediction": [*STAGE, "predict", FILES["fp32"], str(image)],
        "NumPy, Pillow and ONNX Runtime loaded": [sys.executable, "-c", libraries],
    }
    found = in_turn({name: partial(run, command, repository) for name, command in commands.items()}, 2 * rounds + 1)
    rows = []
    for name, costs in found.items():
        last = [cost.marks[-1] for cost in costs]
        wall = [mark.wall for mark in last]
        rows.append([name, f"{median(mark.cpu for mark in last):.2f}", f"{median(wall):.2f}", f"{min(wall):.2f}"])
    return table(("`runhive predict`, from the shell to", "CPU s", "wall s, median", "wall s, least"), rows)


def memory(folder: Path, repository: Path) -> str:
    """Peak memory over few and many images, which are names of a few files; of a model that hardly computes."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "scoring"))
    from tiny_model import write_model

    model = write_model(folder / "model.onnx")
    rows, peaks = [], []
    for count in MANY:
        images = make_images(folder / str(count), count)
        cost = run([*STAGE, "predict", str(model), str(images), "--out", str(folder / f"{count}.csv")], repository)
        peaks.append(cost.peak)
        rows.append([f"{count:,} images", f"{cost.peak / 2**20:.0f}", f"{1000 * cost.cpu / count:.2f}"])
    ratio = f"{MANY[1]:,} images against {MANY[0]:,}: **{peaks[1] / peaks[0]:.2f}** times the memory."
    return table(("`predict` into a file", "peak MiB", "CPU ms an image"), rows) + f"\n\n{ratio}"


def make_images(folder: Path, count: int) -> Path:
    """*count* names of 100 photos of 120 by 90 pixels."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(0)
    for index in range(count):
        if index < 100:
            pixels = chance.integers(256, size=(90, 120, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(folder / f"{index:06d}.jpg", quality=85)
        else:
            os.link(folder / f"{index % 100:06d}.jpg", folder / f"{index:06d}.jpg")
    return folder


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def last_line(cost: Cost) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(cost.marks[-1].line)
    return found
