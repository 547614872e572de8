"""A trained classifier over image files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from runhive.formats.model_card import ModelCard
from runhive.preprocess import Load, input_batches, load_pixels
from runhive.vision.device import MEASURE_BATCH
from runhive.vision.model import Classifier, build_backbone


def load_classifier(card: ModelCard, weights: Path) -> Classifier:
    """Rebuild the classifier of *card* with *weights*, in evaluation mode."""
    classifier = Classifier(build_backbone(card.arch, len(card.classes)), card.preprocess.mean, card.preprocess.std)
    classifier.load_state_dict(load_file(weights))
    return classifier.eval()


@torch.inference_mode()
def predict_logits(
    classifier: Classifier,
    paths: Sequence[Path],
    card: ModelCard,
    device: torch.device,
    load: Load = load_pixels,
    batch_size: int | None = None,
) -> NDArray[np.float32]:
    """Logits (images, classes) in the order of *paths*."""
    classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch lacks this one
    batches = input_batches(paths, card.preprocess, batch_size or MEASURE_BATCH[device.type], load)
    return np.concatenate([classifier(torch.from_numpy(batch).to(device)).float().cpu().numpy() for batch in batches])
