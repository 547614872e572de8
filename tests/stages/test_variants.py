"""The smaller files beside fp32: what is calibrated on what, which are kept, and what is said of those that are not."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, split_of, write_manifest
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.parity import Parity
from runhive.formats.preprocess import Preprocess
from runhive.params import Export, parse_params
from runhive.preprocess import Pixels, load_pixels
from runhive.presets import presets, with_changes
from runhive.scoring.package import Package, read_package
from runhive.stages import paths
from runhive.stages.agreement import Engine, Floats, measure
from runhive.stages.calibration import calibration_images
from runhive.stages.export import make_packages, onnx_engine, parity_of, torch_engine, write
from runhive.stages.record import FILES, new_files
from runhive.tracking.ledger.run import Event, fold
from runhive.vision.model import Classifier

RUN = "20261123-142233-7f3a9c"
CARD = ModelCard(
    name="insects", arch="own:net", classes=["ants", "bees"], selection=Selection(rule="last", epoch=1, digest=None),
    preprocess=Preprocess(image_size=32, resize_size=32, mean=(0.5,) * 3, std=(0.25,) * 3),
    weights_sha256="ab" * 32, parameters=1, data_digest="cd" * 32,
)  # fmt: skip


def classifier() -> Classifier:
    torch.manual_seed(3)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(32, 2),
    )  # fmt: skip
    return Classifier(layers, CARD.preprocess.mean, CARD.preprocess.std).eval()


def settings(*changes: str) -> Export:
    return parse_params(with_changes(presets()["folder"], changes)).export


@cache
def made() -> dict[str, Package]:
    """The variants of the network, calibrated on the images of the first test: they are alike in all."""
    return make_packages(classifier(), CARD, settings(), calibration_images(64, []))


def exported(
    images: list[Image], export: Export, **instead: Callable[[Floats], Floats]
) -> tuple[dict[str, Package], Parity]:
    """What the stage makes of the network; *instead* changes the logits of a variant."""
    paths.WEIGHTS.parent.mkdir(exist_ok=True)
    paths.WEIGHTS.write_bytes(b"weights")
    network, val = classifier(), split_of(images, "val")
    packages = made()
    engines = {name: onnx_engine(name, package) for name, package in packages.items()}
    for name, change in instead.items():
        engines[name] = changed(engines[name], change)
    measured = measure(torch_engine(network), engines, val, CARD, load_pixels)
    return packages, parity_of(packages, measured, export, len(val), 4)


def changed(engine: Engine, change: Callable[[Floats], Floats]) -> Engine:
    return lambda batch: change(engine(batch))


def test_every_variant_is_a_package_of_its_own_with_the_same_classes_and_preprocessing(images: list[Image]) -> None:
    packages, parity = exported(images, settings("export.most_changed={fp16: 1.0, int8: 1.0}"))
    write(packages, parity)
    found = {name: read_package(paths.VARIANTS / f"{name}.onnx") for name in ("fp16", "int8")}

    assert list(packages) == ["fp32", "fp16", "int8"]
    assert read_package(paths.ONNX).metadata.variant == "fp32"
    for name, package in found.items():
        assert (package.metadata.variant, package.metadata.name) == (name, "insects")
        assert package.metadata.classes == CARD.classes
        assert package.metadata.preprocess == CARD.preprocess
    assert [(one.name, one.onnx_sha256, one.onnx_bytes) for one in parity.variants] == [
        (name, package.sha256, len(package.content)) for name, package in found.items()
    ]
    assert Parity.read(paths.PARITY).variants == parity.variants


def test_the_same_weights_and_images_give_the_same_bytes(images: list[Image]) -> None:
    again = make_packages(classifier(), CARD, settings(), calibration_images(64, []))

    assert {name: one.sha256 for name, one in again.items()} == {name: one.sha256 for name, one in made().items()}


def test_variants_differ_from_torch_and_it_is_measured_how_far(images: list[Image]) -> None:
    _, parity = exported(images, settings())
    fp16, int8 = parity.variants

    assert parity.relative_difference < 1e-4
    assert 1e-6 < (fp16.relative_difference or 0) < 0.05
    assert (fp16.relative_difference or 0) < (int8.relative_difference or 0) < 3
    assert all(one.milliseconds > 0 and one.milliseconds_in_32 > 0 for one in parity.variants)


@pytest.mark.parametrize(("copies", "runs"), [(16, 2), (8, 1 + 4)], ids=["many images", "few images"])
def test_an_image_among_32_is_timed_in_the_pass_over_the_images_or_with_copies_of_one(
    copies: int, runs: int, images: list[Image]
) -> None:
    sizes: list[int] = []

    def mean(batch: Pixels) -> Floats:
        return batch.mean(axis=(2, 3), dtype=np.float32)[:, :2]

    def engine(batch: Pixels) -> Floats:
        sizes.append(len(batch))
        time.sleep(0.1 if len(batch) == 32 else 0)
        return mean(batch)

    found = measure(mean, {"it": engine}, split_of(images, "val") * copies + images[-1:], CARD, load_pixels)

    assert found.speed["it"].in_32 >= 100 / 32
    assert found.agreement["it"].relative == 0
    assert sizes.count(32) == runs


def test_a_variant_whose_logits_are_not_finite_is_left_out(images: list[Image]) -> None:
    packages, parity = exported(images, settings(), fp16=lambda logits: logits * np.inf)
    write(packages, parity)
    fp16, int8 = parity.variants

    assert fp16.reason == "its logits are not finite: some are too large for its numbers"
    assert (fp16.relative_difference, fp16.absolute_difference) == (None, None)
    assert int8.reason == ""
    assert [path.name for path in paths.VARIANTS.iterdir()] == ["int8.onnx"]
    assert Parity.read(paths.PARITY).variants == parity.variants


def test_a_variant_that_changes_more_answers_than_is_allowed_is_left_out_and_says_which(images: list[Image]) -> None:
    packages, parity = exported(images, settings("export.most_changed.int8=0.99"), int8=lambda logits: -logits)
    write(packages, parity)
    fp16, int8 = parity.variants

    assert (fp16.reason, fp16.flips) == ("", [])
    assert int8.reason == ("it answers 4 images otherwise than torch, 100.0%, more than export.most_changed.int8 99.0%")
    assert [flip.path for flip in int8.flips] == [image.path for image in split_of(images, "val")]
    assert all({flip.torch, flip.onnx} == set(CARD.classes) for flip in int8.flips)
    assert [path.name for path in paths.VARIANTS.iterdir()] == ["fp16.onnx"]


def test_only_training_images_calibrate_spread_over_the_classes_and_none_that_is_evaluated(images: list[Image]) -> None:
    train, val = (split_of(sorted(images, key=lambda image: image.path), split) for split in ("train", "val"))

    assert calibration_images(64, val) == train
    assert [image.path for image in calibration_images(2, val)] == [train[0].path, train[-1].path]
    assert calibration_images(64, [train[1]]) == [train[0], *train[2:]]
    assert calibration_images(3, val) == calibration_images(3, val)


@pytest.mark.parametrize("fault", ["gone", "another"])
def test_a_training_image_that_is_not_at_hand_is_one_line(fault: str, images: list[Image]) -> None:
    path = paths.IMAGES / images[0].path
    path.unlink() if fault == "gone" else path.write_bytes(b"another")

    with pytest.raises(RunhiveError) as raised:
        calibration_images(64, [])
    assert str(raised.value).startswith(f"int8 is calibrated on training images, and {path} is not here")
    assert str(raised.value).endswith("or take int8 out of export.variants")


def test_without_training_images_there_is_nothing_to_calibrate_on(images: list[Image]) -> None:
    write_manifest(paths.MANIFEST, [image for image in images if image.split == "val"])

    with pytest.raises(RunhiveError, match="none is left"):
        calibration_images(64, [])


def test_a_variant_that_is_no_longer_exported_is_told_to_be_gone(images: list[Image]) -> None:
    variant = paths.VARIANTS / "int8.onnx"
    for path in [*FILES, variant]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    before = fold(RUN, [Event("filed", new_files(fold(RUN, [Event("started", {})])), order=1)])
    assert set(before.files) == {path.as_posix() for path in [*FILES, variant]}
    assert new_files(before) == {}
    variant.unlink()
    told = new_files(before)
    after = fold(RUN, [*before.events, Event("filed", told, order=2)])

    assert told == {"files": {}, "gone": [variant.as_posix()]}
    assert set(after.files) == {path.as_posix() for path in FILES}
    assert new_files(after) == {}


def test_a_parity_of_schema_version_1_is_still_read(tmp_path: Path) -> None:
    """As Runhive wrote it before there were variants."""
    (tmp_path / "parity.json").write_text(
        '{"schema_version": 1, "onnx_sha256": "ab", "weights_sha256": "cd", "opset": 20, "images": 153, '
        '"tolerance": 0.0001, "relative_difference": 1e-06, "absolute_difference": 4e-06, "logit_spread": 2.4, '
        '"top1_agreement": 1.0, "torch_bytes": 9, "onnx_bytes": 8, "torch_milliseconds": 14.3, '
        '"onnx_milliseconds": 2.3, "threads": 2}'
    )
    found = Parity.read(tmp_path / "parity.json")

    assert (found.images, found.variants, found.onnx_milliseconds_in_32) == (153, [], None)
