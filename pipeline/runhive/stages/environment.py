"""What a run ran on: everything besides its inputs that can change bits or speed."""

from typing import Any

import torch

from runhive.tracking.machine import describe_machine


def describe_environment(device: torch.device) -> dict[str, Any]:
    """The machine as it is without torch, and what torch makes of it."""
    gpu = {"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
    return (
        describe_machine()
        | gpu
        | {
            "device": device.type,
            "threads": torch.get_num_threads(),
            "memory_format": "channels_last",
        }
    )
