"""A classifier: normalisation, backbone and head, by the name of its architecture."""

import difflib
import importlib
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.vision import lite0

LITE0 = "efficientnet_lite0"
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of torchvision's weights
IMAGENET_STD = (0.229, 0.224, 0.225)

Triple = tuple[float, float, float]


class Classifier(nn.Module):
    """uint8 images (n, 3, size, size) to logits (n, classes); normalisation is inside, so nobody can forget it."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, mean: Triple, std: Triple) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.backbone((images.float() - self.mean) / self.std)
        return logits


def build_backbone(arch: str, num_classes: int) -> nn.Module:
    """Build *arch* with random weights. Raises RunhiveError for an unknown name or a function that makes no module."""
    if ":" in arch:
        return _build_own(arch, num_classes)
    if arch == LITE0:
        return lite0.efficientnet_lite0(num_classes)
    from torchvision import models  # here, because it takes a second to import, and Lite0 needs nothing of it

    known = models.list_models(module=models)
    if arch not in known:
        near = difflib.get_close_matches(arch, [*known, LITE0], 1)
        hint = f": did you mean {near[0]}?" if near else ": see torchvision.models.list_models()"
        raise RunhiveError(f"params.yaml: model.arch: there is no architecture {arch!r}{hint}")
    backbone: nn.Module = models.get_model(arch, weights=None, num_classes=num_classes)
    return backbone


def _build_own(arch: str, num_classes: int) -> nn.Module:
    module_name, _, function = arch.partition(":")
    try:
        build = getattr(importlib.import_module(module_name), function, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise RunhiveError(f"params.yaml: model.arch: no module {error.name!r} in the repository's root") from None
    if not callable(build):
        raise RunhiveError(f"params.yaml: model.arch: module {module_name!r} has no function {function!r}")
    backbone = build(num_classes)
    if not isinstance(backbone, nn.Module):
        raise RunhiveError(f"params.yaml: model.arch: {arch} returned {type(backbone).__name__}, not a torch module")
    return backbone


def normalisation(arch: str) -> tuple[Triple, Triple]:
    """Mean and standard deviation, per channel in [0, 1], that the weights of *arch* were trained with."""
    return (lite0.MEAN, lite0.STD) if arch == LITE0 else (IMAGENET_MEAN, IMAGENET_STD)


def head_name(arch: str) -> str:
    """The name of the one layer whose size follows the number of classes.

    Raises RunhiveError for an architecture with several, such as GoogLeNet's auxiliary heads.
    """
    two, three = _shapes(arch, 2), _shapes(arch, 3)
    heads = {name.rpartition(".")[0] for name in two if two[name] != three[name]}
    if len(heads) != 1:
        raise RunhiveError(f"params.yaml: model.arch: {arch} has {len(heads)} heads: choose one with a single head")
    return heads.pop()


def _shapes(arch: str, num_classes: int) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in outline(arch, num_classes).state_dict().items()}


def outline(arch: str, num_classes: int) -> nn.Module:
    """The layers of *arch*, without memory for their weights where that is possible."""
    try:
        with torch.device("meta"):
            return build_backbone(arch, num_classes)
    except NotImplementedError:  # RegNet reckons its widths with tensors, which need real ones
        return build_backbone(arch, num_classes)


def load_pretrained(backbone: nn.Module, arch: str) -> None:
    """Give *backbone* its ImageNet weights, all but the head's. Raises RunhiveError where they cannot be had."""
    if ":" in arch:
        raise RunhiveError(f"params.yaml: model.weights: Runhive has none for {arch}: load them there and write none")
    state = lite0.imagenet_weights() if arch == LITE0 else _torchvision_weights(arch)
    head = head_name(arch) + "."
    missing, unexpected = backbone.load_state_dict(
        {name: tensor for name, tensor in state.items() if not name.startswith(head)}, strict=False
    )
    strangers = [name for name in [*missing, *unexpected] if not name.startswith(head)]
    if strangers:
        raise RunhiveError(f"the ImageNet weights of {arch} do not fit it: {', '.join(strangers[:3])}")


def _torchvision_weights(arch: str) -> dict[str, Tensor]:
    """Torchvision's default weights, from torch's cache or the network."""
    from torchvision import models

    weights = models.get_model_weights(arch).DEFAULT
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(weights.url).path).name)
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # no network, a cut connection, bytes of another hash
        raise RunhiveError(
            f"the ImageNet weights of {arch} are not in {cached.parent} and {urlsplit(weights.url).netloc} does "
            f"not answer ({getattr(error, 'reason', error)}): offline, set model.arch: {LITE0}, whose weights are "
            "installed, or model.weights: none"
        ) from None
    return state
