"""Find the images of a data set: which files decode, which do not and why, and whether the classes fit."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from runhive.data.decoding import PixelBudget, quiet_pillow
from runhive.data.listing import class_folders, image_files
from runhive.data.names import listed, shown
from runhive.data.pixels import Examined, examine
from runhive.data.sources import LAYOUT, SPLITS
from runhive.errors import RunhiveError
from runhive.formats.data_report import LeftOut

AT_ONCE = 1024  # files handed to the pool, so that its queue does not grow with the data set


@dataclass(frozen=True)
class Found:
    """What is kept and what is left out, each sorted by path."""

    examined: list[Examined]
    left_out: list[LeftOut]


def find_images(folder: Path, splits: Sequence[str] = SPLITS) -> Found:
    """Decode every `<split>/<class>/<file>` of *splits* in *folder*.

    Raises RunhiveError where a class has no image, train has fewer than two classes, or another split has one that
    train lacks.
    """
    files, left_out = list_files(folder, splits)
    found: list[Examined] = []
    with quiet_pillow(), ThreadPoolExecutor(os.cpu_count()) as pool:
        look = partial(examine, folder, PixelBudget())
        for class_folder, names in files.items():
            paths = [f"{class_folder}/{name}" for name in names]
            results = list(chain.from_iterable(pool.map(look, some) for some in chunks(paths, AT_ONCE)))
            kept = [result for result in results if isinstance(result, Examined)]
            bad = [result for result in results if isinstance(result, LeftOut)]
            if not kept:
                raise RunhiveError(f"{shown(class_folder)} has no image that decodes: {bad[0].path}: {bad[0].reason}")
            found += kept
            left_out += bad
    return Found(sorted(found, key=lambda one: one.image.path), sorted(left_out, key=lambda one: one.path))


def chunks(paths: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Cut *paths* into pieces of *most*."""
    return (paths[start : start + most] for start in range(0, len(paths), most))


def list_files(folder: Path, splits: Sequence[str]) -> tuple[dict[str, list[str]], list[LeftOut]]:
    """Return the file names of each `<split>/<class>`, and all entries that are no such files."""
    left_out: list[LeftOut] = []
    classes: dict[str, list[str]] = {}
    for split in splits:
        if (folder / split).is_dir():
            classes[split], others = class_folders(folder, split)
            left_out += others
    check_classes(classes)
    files: dict[str, list[str]] = {}
    for class_folder in [f"{split}/{label}" for split, labels in classes.items() for label in labels]:
        files[class_folder], others = image_files(folder, class_folder)
        left_out += others
        if not files[class_folder]:
            raise RunhiveError(f"{shown(class_folder)} is empty: put images there or remove the class")
    return files, left_out


def check_classes(classes: dict[str, list[str]]) -> None:
    """Raise RunhiveError unless `train` has two or more classes and the other splits some of the same."""
    train = classes["train"]
    if not train:
        raise RunhiveError(f"train has no class folder: {LAYOUT}")
    if len(train) == 1:
        raise RunhiveError(f"train has the single class {shown(train[0])}: a classifier needs two or more")
    check_spelling(sorted({label for labels in classes.values() for label in labels}))
    for split, labels in classes.items():
        if not labels:
            raise RunhiveError(f"{split} has no class folder: {LAYOUT}")
        if extra := sorted(set(labels) - set(train)):
            raise RunhiveError(
                f"{split} has classes that train lacks: {listed(extra)}: a model can only tell what it was trained on"
            )


def check_spelling(labels: Sequence[str]) -> None:
    """Raise RunhiveError for two class names that differ in capitals, blanks or Unicode form alone."""
    seen: dict[str, str] = {}
    for label in labels:
        plain = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        if plain in seen:
            raise RunhiveError(
                f"the classes {seen[plain]!a} and {label!a} differ in capitals, blanks or Unicode form alone: "
                "name them alike"
            )
        seen[plain] = label
