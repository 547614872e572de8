"""Weights to one ONNX file, and the proof that it computes the same."""

import hashlib
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity
from runhive.params import Params
from runhive.preprocess import Pixels, input_batches
from runhive.stages import inputs, paths
from runhive.stages.evaluation_set import evaluation_images
from runhive.stages.pixel_cache import pixel_loader
from runhive.tracking.repository import main_root
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.onnx_model import open_session, session_logits, to_onnx
from runhive.vision.predict import load_classifier, predict_logits

REPEATS = 30
DEGENERATE = 1e-3  # logits that vary less than this over the images show nothing


def export(params: Params) -> None:
    """Write the ONNX file and its parity. Raises RunhiveError when they differ beyond `export.tolerance`."""
    keep_freed_memory()
    inputs.admit_own_code("export", params.model.arch)
    card = ModelCard.read(paths.MODEL_CARD)
    classifier = load_classifier(card, paths.WEIGHTS)
    model = to_onnx(classifier, card, params.export.opset)
    images = evaluation_images(params.evaluate.split)
    files = [paths.IMAGES / image.path for image in images]
    threads = torch.get_num_threads()
    session = open_session(model, threads)
    with pixel_loader(main_root(), images, params.train.cache, card.preprocess.resize_size) as load:
        expected = predict_logits(classifier, files, card, torch.device("cpu"), load)
        found = session_logits(session, files, card, load)
        one = next(input_batches(files[:1], card.preprocess, 1, load))
    if not np.isfinite(found).all():
        raise RunhiveError("the ONNX model's logits are not finite where torch's are: change export.opset")
    absolute = float(np.abs(found - expected).max())
    spread = float(np.sqrt(expected.var(axis=0).mean()))
    parity = Parity(
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        weights_sha256=card.weights_sha256,
        opset=params.export.opset,
        images=len(files),
        tolerance=params.export.tolerance,
        relative_difference=absolute / spread if spread else absolute,
        absolute_difference=absolute,
        logit_spread=spread,
        top1_agreement=float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        torch_bytes=paths.WEIGHTS.stat().st_size,
        onnx_bytes=len(model),
        torch_milliseconds=latency(lambda image: predict_one(classifier, image), one),
        onnx_milliseconds=latency(lambda image: session.run(["logits"], {"images": image}), one),
        threads=threads,
    )
    check_parity(parity)
    write_atomic(paths.ONNX, model)
    parity.write(paths.PARITY)
    print(
        f"{paths.ONNX}: {parity.onnx_bytes / 1e6:.1f} MB, differs from torch by {parity.relative_difference:.1e} "
        f"of the logits' spread, top-1 agrees on {parity.top1_agreement:.2%} of {parity.images} images, "
        f"{parity.onnx_milliseconds:.1f} ms an image against {parity.torch_milliseconds:.1f} ms"
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


@torch.inference_mode()
def predict_one(classifier: torch.nn.Module, image: Pixels) -> object:
    """Run torch once."""
    return classifier(torch.from_numpy(image))


def latency(run: Callable[[Pixels], object], image: Pixels) -> float:
    """Median milliseconds of *run* on one image, after three runs to warm up."""
    seconds = []
    for _ in range(REPEATS + 3):
        began = perf_counter()
        run(image)
        seconds.append(perf_counter() - began)
    return 1000 * median(seconds[3:])
