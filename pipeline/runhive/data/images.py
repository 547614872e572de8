"""Find the images of a data set: which files decode, which do not and why, and whether the classes fit."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from runhive.data.listing import class_folders, image_files
from runhive.data.names import listed, shown
from runhive.data.pixels import examine, pixel_cap
from runhive.data.sources import LAYOUT, SPLITS
from runhive.errors import RunhiveError
from runhive.formats.data_report import LeftOut
from runhive.formats.manifest import Image


def find_images(folder: Path, splits: Sequence[str] = SPLITS) -> tuple[list[Image], list[LeftOut]]:
    """Decode every `<split>/<class>/<file>` of *splits* in *folder* and return the images and what is left out, sorted.

    Raises RunhiveError where a class has no image, there are fewer than two, or the splits' classes differ.
    """
    files, left_out = list_files(folder, splits)
    images: list[Image] = []
    with pixel_cap(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for class_folder, names in files.items():
            results = list(pool.map(partial(examine, folder), [f"{class_folder}/{name}" for name in names]))
            kept = [result for result in results if isinstance(result, Image)]
            bad = [result for result in results if isinstance(result, LeftOut)]
            if not kept:
                raise RunhiveError(f"{shown(class_folder)} has no image that decodes: {bad[0].path}: {bad[0].reason}")
            images += kept
            left_out += bad
    return sorted(images, key=lambda image: image.path), sorted(left_out, key=lambda one: one.path)


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
    """Raise RunhiveError unless every split has the two or more classes of `train`."""
    train = classes["train"]
    if not train:
        raise RunhiveError(f"train has no class folder: {LAYOUT}")
    if len(train) == 1:
        raise RunhiveError(f"train has the single class {shown(train[0])}: a classifier needs two or more")
    for split, labels in classes.items():
        if extra := sorted(set(labels) - set(train)):
            raise RunhiveError(
                f"{split} has classes that train lacks: {listed(extra)}: every split needs the same ones"
            )
        if missing := sorted(set(train) - set(labels)):
            raise RunhiveError(
                f"{split} lacks classes that train has: {listed(missing)}: every split needs the same ones"
            )
