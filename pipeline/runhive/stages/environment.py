"""What a run ran on: everything besides its inputs that can change bits or speed."""

from typing import Any

import torch

from runhive.tracking.life.machine import describe_machine
from runhive.vision.device import Numerics


def describe_environment(numerics: Numerics, compiled: bool, allocator: dict[str, int]) -> dict[str, Any]:
    """The machine as it is without torch, and what torch makes of it."""
    gpu = {"gpu": torch.cuda.get_device_name(numerics.device)} if numerics.device.type == "cuda" else {}
    own = {
        "device": numerics.device.type,
        "threads": torch.get_num_threads(),
        "compile": compiled,
        "precision": numerics.precision,
        "memory_format": numerics.memory_format,
        "allocator": allocator,
    }
    return describe_machine() | gpu | own
