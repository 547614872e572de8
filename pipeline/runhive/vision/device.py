"""Where tensors live, and the number format that the network computes in."""

from dataclasses import dataclass

import torch
from torch import nn

from runhive.errors import RunhiveError
from runhive.params import Model, Train
from runhive.vision.model import outline
from runhive.vision.world import ALONE, World

SMALL = 128  # pixels a side
MEASURE_BATCH = {"cpu": 8, "cuda": 128}  # images without a backward pass: as quick as more, with less memory
MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class Numerics:
    """All that decides, besides the inputs, which bits the network computes."""

    device: torch.device
    precision: str  # fp32 or bf16
    memory_format: str
    world: World = ALONE

    def autocast(self) -> torch.autocast:
        """Within it the network's large operations run in bf16, where `precision` says so."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def place(self, network: nn.Module) -> None:
        """Move *network* to the device, its weights in the memory format."""
        network.to(device=self.device, memory_format=MEMORY_FORMATS[self.memory_format])  # type: ignore[call-overload]  # torch lacks this one


def choose_device(name: str) -> torch.device:
    """The device that `train.device` names. Raises RunhiveError where CUDA is asked for and absent."""
    if name == "cuda" and not torch.cuda.is_available():
        raise RunhiveError("params.yaml: train.device: no CUDA device here: set auto or cpu, or mend the driver")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def choose_numerics(model: Model, train: Train) -> Numerics:
    """What the parameters ask for; `precision: auto` is bf16 where it is faster."""
    device = choose_device(train.device)
    precision = train.precision
    if precision == "auto":
        slow = device.type == "cpu" and train.mode == "finetune" and _learns_slowly_in_bf16(model)
        precision = "bf16" if has_bf16(device) and not slow else "fp32"
    return Numerics(device, precision, train.memory_format)


def has_bf16(device: torch.device) -> bool:
    """Does *device* have bf16 arithmetic: CUDA from Ampere on, x86 with AVX512-BF16 or AMX?"""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def is_grouped(arch: str) -> bool:
    """Has *arch* grouped convolutions, as depthwise networks have?

    On CPUs their steps wait for memory (measured): freed memory is worth keeping for them, and not for others.
    """
    convolutions = (module for module in outline(arch, 2).modules() if isinstance(module, nn.Conv2d))
    return any(layer.groups > 1 for layer in convolutions)


def _learns_slowly_in_bf16(model: Model) -> bool:
    """Measured on CPUs: the backward pass of grouped convolutions, and of small images."""
    return model.image_size < SMALL or is_grouped(model.arch)
