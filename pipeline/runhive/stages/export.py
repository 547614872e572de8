"""Weights to one ONNX file and smaller variants of it, and the proof that they compute the same."""

import shutil
from collections.abc import Sequence

import torch

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.formats.manifest import Image
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity, Variant
from runhive.params import Export, Params
from runhive.preprocess import Pixels
from runhive.scoring.package import Package, parse_package
from runhive.scoring.session import answers, open_session
from runhive.stages import inputs, paths
from runhive.stages.agreement import Engine, Floats, Measured, measure
from runhive.stages.calibration import calibration_batches, calibration_images
from runhive.stages.evaluation_set import evaluation_images
from runhive.stages.pixel_cache import pixel_loader
from runhive.tracking.repository import main_root
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.model import Classifier
from runhive.vision.onnx_model import to_onnx
from runhive.vision.onnx_variants import to_fp16, to_int8
from runhive.vision.predict import load_classifier

DEGENERATE = 1e-3  # logits that vary less than this over the images show nothing
FP32, FP16, INT8 = "fp32", "fp16", "int8"


def export(params: Params) -> None:
    """Write the ONNX files and their parity. Raises RunhiveError when fp32 differs beyond `export.tolerance`."""
    keep_freed_memory()
    inputs.admit_own_code("export", params.model.arch)
    card = ModelCard.read(paths.MODEL_CARD)
    images = evaluation_images(params.evaluate.split)
    learned = calibration_images(params.export.calibration_images, images) if INT8 in params.export.variants else []
    classifier = load_classifier(card, paths.WEIGHTS)
    packages = make_packages(classifier, card, params.export, learned)
    engines = {name: onnx_engine(name, package) for name, package in packages.items()}
    with pixel_loader(main_root(), images, params.train.cache, card.preprocess.resize_size) as load:
        measured = measure(torch_engine(classifier), engines, images, card, load)
    parity = parity_of(packages, measured, params.export, len(images), len(learned))
    check_parity(parity)
    write(packages, parity)
    tell(parity)


def make_packages(
    classifier: Classifier, card: ModelCard, export: Export, calibration: Sequence[Image]
) -> dict[str, Package]:
    """The ONNX files that `export.variants` names, fp32 first."""
    model = to_onnx(classifier, card, export.opset)
    whole = parse_package(model, "the exported model")
    found = {FP32: whole}
    if FP16 in export.variants:
        found[FP16] = parse_package(to_fp16(model, whole.metadata), "the fp16 model")
    if INT8 in export.variants:
        batches = calibration_batches(calibration, card.preprocess)
        found[INT8] = parse_package(to_int8(model, whole.metadata, batches), "the int8 model")
    return found


def torch_engine(classifier: Classifier) -> Engine:
    """*classifier* on the CPU, its weights in the order that is quickest there."""
    classifier.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(batch: Pixels) -> Floats:
        logits: Floats = classifier(torch.from_numpy(batch)).numpy()
        return logits

    return run


def onnx_engine(name: str, package: Package) -> Engine:
    """ONNX Runtime with as many threads as torch has."""
    session = open_session(package, f"the {name} model", torch.get_num_threads())
    return lambda batch: answers(session, batch)[0]


def parity_of(
    packages: dict[str, Package], measured: Measured, export: Export, images: int, calibration: int
) -> Parity:
    """What results/parity.json says. Raises RunhiveError where a logit of fp32 is not finite."""
    whole, found = packages[FP32], measured.agreement[FP32]
    if found.relative is None or found.absolute is None:
        raise RunhiveError("the ONNX model's logits are not finite where torch's are: change export.opset")
    return Parity(
        onnx_sha256=whole.sha256,
        weights_sha256=whole.metadata.weights_sha256,
        opset=export.opset,
        images=images,
        tolerance=export.tolerance,
        relative_difference=found.relative,
        absolute_difference=found.absolute,
        logit_spread=measured.spread,
        top1_agreement=found.same,
        torch_bytes=paths.WEIGHTS.stat().st_size,
        onnx_bytes=len(whole.content),
        torch_milliseconds=measured.torch_milliseconds,
        onnx_milliseconds=measured.speed[FP32].alone,
        threads=torch.get_num_threads(),
        onnx_milliseconds_in_32=measured.speed[FP32].in_32,
        flips=found.flips,
        calibration_images=calibration,
        variants=[variant_of(name, packages[name], measured, export) for name in packages if name != FP32],
    )


def variant_of(name: str, package: Package, measured: Measured, export: Export) -> Variant:
    """One of the smaller files, with the reason where it is to be left out."""
    found, speed = measured.agreement[name], measured.speed[name]
    most, reason = getattr(export.most_changed, name), ""
    if found.relative is None:
        reason = "its logits are not finite: some are too large for its numbers"
    elif 1 - found.same > most:
        reason = (
            f"it answers {len(found.flips)} images otherwise than torch, {1 - found.same:.1%}, "
            f"more than export.most_changed.{name} {most:.1%}"
        )
    return Variant(
        name=name,
        reason=reason,
        onnx_sha256=package.sha256,
        onnx_bytes=len(package.content),
        most_changed=most,
        relative_difference=found.relative,
        absolute_difference=found.absolute,
        top1_agreement=found.same,
        flips=found.flips,
        milliseconds=speed.alone,
        milliseconds_in_32=speed.in_32,
    )


def check_parity(parity: Parity) -> None:
    """Raise RunhiveError, saying by how much, unless the two models agree on logits that vary."""
    if parity.logit_spread < DEGENERATE:
        raise RunhiveError(
            f"the model's logits vary by only {parity.logit_spread:.1e} over {parity.images} images, so agreement "
            "would prove nothing: train it longer or look at its curves"
        )
    if not parity.relative_difference <= parity.tolerance:
        raise RunhiveError(
            f"the ONNX model differs from torch by {parity.relative_difference:.2e} of the logits' spread, "
            f"{parity.relative_difference / parity.tolerance:.1f} times export.tolerance {parity.tolerance:g} "
            f"(top-1 agrees on {parity.top1_agreement:.2%}): raise the tolerance or change export.opset"
        )


def write(packages: dict[str, Package], parity: Parity) -> None:
    """Write the files that are kept, and what is known of all."""
    shutil.rmtree(paths.VARIANTS, ignore_errors=True)
    paths.VARIANTS.mkdir(parents=True)
    write_atomic(paths.ONNX, packages[FP32].content)
    for variant in parity.variants:
        if not variant.reason:
            write_atomic(paths.VARIANTS / f"{variant.name}.onnx", packages[variant.name].content)
    parity.write(paths.PARITY)


def tell(parity: Parity) -> None:
    """Print a line for each file."""
    print(
        f"{paths.ONNX}: {parity.onnx_bytes / 1e6:.1f} MB, differs from torch by {parity.relative_difference:.1e} "
        f"of the logits' spread, top-1 agrees on {parity.top1_agreement:.2%} of {parity.images} images, "
        f"{parity.onnx_milliseconds:.1f} ms an image against {parity.torch_milliseconds:.1f} ms"
    )
    for one in parity.variants:
        measured = (
            f"{one.onnx_bytes / 1e6:.1f} MB, {len(one.flips)} answers changed, {one.milliseconds:.1f} ms an image"
        )
        print(f"{one.name} is left out: {one.reason}" if one.reason else f"{one.name}: {measured}")
