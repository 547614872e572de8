"""Every family of torchvision exports to a file that computes the same: three here, all with RUNHIVE_LONG=1."""

import os

import numpy as np
import pytest
import torch
from torch import nn

from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.preprocess import Preprocess
from runhive.scoring.package import parse_package
from runhive.scoring.session import answers, open_session
from runhive.vision.model import Classifier, build_backbone, normalisation
from runhive.vision.onnx_model import to_onnx

FAMILIES = {  # one of each, with the pixels of its input
    "resnet18": 64,
    "mobilenet_v3_small": 64,
    "vit_b_32": 224,
    "alexnet": 64,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "efficientnet_lite0": 64,
    "efficientnet_v2_s": 128,
    "googlenet": 64,
    "inception_v3": 299,
    "maxvit_t": 224,
    "mnasnet0_5": 64,
    "mobilenet_v2": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_1": 64,
    "swin_t": 64,
    "swin_v2_t": 64,
    "vgg11_bn": 64,
    "wide_resnet50_2": 64,
}
CHOSEN = list(FAMILIES) if os.environ.get("RUNHIVE_LONG") else list(FAMILIES)[:3]
CLASSES = ["a", "b", "c"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The default weight initialization"),  # of GoogLeNet and Inception
]


def lively(network: nn.Module, images: torch.Tensor) -> None:
    """Give *network* weights with which each layer matters: as it is built, many hardly look at their input.

    Batch-norm shifts by 1, so that ReLUs are mostly open. Around 0, a deep network of random weights is chaotic and
    amplifies rounding: torch in 32 bits is then 1e-4 of the spread away from itself in 64 bits, against 1e-5 here.
    """
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "layer_scale" in name:
                parameter.fill_(1.0)
            elif parameter.ndim > 1 and "norm" not in name:
                fan_in = parameter[0].numel()
                parameter.normal_(0, (2 / fan_in) ** 0.5)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None  # statistics of all that was seen
                nn.init.ones_(layer.bias)
        network.train()
        network(images)
    network.eval()


def pictures(n: int, size: int) -> np.ndarray:
    """Images that differ in colour, contrast and coarseness."""
    chance = np.random.default_rng(0)
    found = []
    for index in range(n):
        coarse = chance.integers(256, size=(3, 4 + index, 4 + index)).astype(np.float32)
        image = nn.functional.interpolate(torch.from_numpy(coarse)[None], (size, size), mode="bilinear")[0].numpy()
        found.append(image * chance.uniform(0.3, 1, (3, 1, 1)))
    return np.stack(found).astype(np.uint8)


@pytest.mark.parametrize("arch", CHOSEN)
def test_an_exported_network_of_any_family_gives_the_logits_of_torch(arch: str) -> None:
    size = FAMILIES[arch]
    mean, std = normalisation(arch)
    images = pictures(8, size)
    classifier = Classifier(build_backbone(arch, len(CLASSES)), mean, std)
    lively(classifier, torch.from_numpy(images))
    card = ModelCard(
        name="family", arch=arch, classes=CLASSES, selection=Selection(rule="last", epoch=1, digest=None),
        preprocess=Preprocess(image_size=size, resize_size=size, mean=mean, std=std), weights_sha256="ab" * 32,
        parameters=1, data_digest="cd" * 32,
    )  # fmt: skip
    session = open_session(parse_package(to_onnx(classifier, card, 20), arch), arch, threads=1)
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(images)).numpy()
    found = np.concatenate([answers(session, images[:1])[0], answers(session, images[1:])[0]])
    spread = np.sqrt(expected.var(axis=0).mean())

    assert spread > 0.01 * np.abs(expected).max(), "logits that do not depend on the image show nothing"
    assert np.unique(expected.round(4), axis=0).shape[0] == len(images)
    assert np.abs(found - expected).max() <= 1e-4 * spread
