"""The gate's evidence on image models: ONNX files run anew over images whose bytes are checked."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.manifest import Image, content_digest, read_manifest, split_of
from runhive.formats.predictions import Predictions
from runhive.gate.case import Answers, ItemSet
from runhive.mistakes import one_line
from runhive.preprocess import ahead, input_batches, processors
from runhive.scoring.model import Model

IMAGES, MANIFEST = Path("data/images"), Path("data/manifest.csv")
BATCH = 8
TIMED = 15  # single images, after as many as WARM that do not count
WARM = 3


@dataclass(frozen=True)
class Images:
    """The images of one evaluation set, each there and unchanged."""

    items: ItemSet
    sha256: tuple[str, ...]
    paths: tuple[Path, ...]


def read_set(root: Path, name: str, frozen: str | None) -> Images:
    """The images of split *name* below *root*. Raises RunhiveError where one is missing or changed, or others are there
    than *frozen*, the set's digest, says.
    """
    if not (root / MANIFEST).exists():
        raise RunhiveError(f"{MANIFEST} is missing: run `dvc pull {MANIFEST} {IMAGES}`, or `dvc repro`")
    images = split_of(read_manifest(root / MANIFEST), name)
    if not images:
        raise RunhiveError(f"params.yaml: gate.evaluation_sets.{name}: the data set has no {name} images")
    digest = content_digest(images)
    if frozen is not None and digest != frozen:
        raise RunhiveError(
            f"params.yaml: gate.evaluation_sets.{name}: the images here have digest {digest[:12]}, not "
            f"{frozen[:12]}: get the frozen data back, or freeze these by that key"
        )
    paths = tuple(root / IMAGES / image.path for image in images)
    _refuse_changed(images, paths)
    items = ItemSet(name, digest, tuple(image.path for image in images), tuple(image.label for image in images))
    return Images(items, tuple(image.sha256 for image in images), paths)


def _refuse_changed(images: list[Image], paths: tuple[Path, ...]) -> None:
    def found(path: Path) -> str:
        return sha256_of(path) if path.is_file() else ""

    for image, sha256 in zip(images, ahead(found, paths, 4 * processors()), strict=True):
        if sha256 != image.sha256:
            what = "has other bytes than the manifest says" if sha256 else "is missing"
            raise RunhiveError(f"{IMAGES}/{one_line(image.path)} {what}: run `dvc checkout`, or `dvc pull`")


@dataclass(frozen=True)
class Run:
    """What a model said of a set."""

    answers: Answers
    logits: np.ndarray[Any, np.dtype[np.float64]]


def answers_of(model: Model, images: Images) -> Run:
    """Run *model* over *images*. Raises RunhiveError for one that does not decode, or an answer that is no number."""
    logits, probabilities = [], []
    for batch in input_batches(images.paths, model.metadata.preprocess, BATCH):
        one, other = model.answers(batch)
        logits.append(one)
        probabilities.append(other)
    told = Answers(tuple(model.classes), np.concatenate(probabilities).astype(np.float64))
    found = Run(told, np.concatenate(logits).astype(np.float64))
    if not (np.isfinite(found.logits).all() and np.isfinite(told.probabilities).all()):
        raise RunhiveError(f"{model.version} answers no finite numbers on {images.items.name}: train it again")
    return found


def milliseconds_of(model: Model, images: Images) -> float:
    """Median time for one prepared image, in milliseconds."""
    batch = next(input_batches(images.paths[:1], model.metadata.preprocess, 1))
    taken = []
    for _ in range(WARM + TIMED):
        start = time.perf_counter()
        model.answers(batch)
        taken.append(1000 * (time.perf_counter() - start))
    return median(taken[WARM:])


def parity_of(images: Images, run: Run, kept: Predictions) -> float | None:
    """Largest difference of logits to those that evaluate kept, over their spread; None where the images differ.

    Raises RunhiveError where the kept logits are all the same: any model would agree with those.
    """
    rows = {
        (sha256, kept.classes[label]): row
        for row, (sha256, label) in enumerate(zip(kept.sha256, kept.labels, strict=True))
    }
    keys = list(zip(images.sha256, images.items.labels, strict=True))
    if set(keys) != rows.keys() or tuple(kept.classes) != run.answers.classes:
        return None
    before = kept.logits[[rows[key] for key in keys]]
    spread = float((before - before.mean(axis=0)).std())
    if not spread:
        raise RunhiveError(f"evaluate kept the same logits for all images of {images.items.name}: they show no parity")
    return float(np.abs(before - run.logits).max() / spread)


def machine() -> Mapping[str, Any]:
    """What latency was measured on."""
    return {"processor": platform.processor() or platform.machine(), "threads": processors()}
