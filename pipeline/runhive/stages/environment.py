"""What a run ran on: everything besides its inputs that can change bits or speed."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from runhive.vision.allocator import allocator_settings
from runhive.vision.device import Numerics

PACKAGES = ("dvc", "numpy", "onnx", "onnxruntime", "pillow", "runhive", "safetensors", "torch", "torchvision")


def describe_environment(numerics: Numerics, compiled: bool) -> dict[str, Any]:
    """Interpreter, host, processors, threads, numerics and the versions of the packages that matter."""
    device = numerics.device
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "device": device.type,
        "threads": torch.get_num_threads(),
        "compile": compiled,
        "precision": numerics.precision,
        "memory_format": numerics.memory_format,
        "allocator": allocator_settings(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _cpu_model() -> str:
    """The processor's name as Linux tells it; elsewhere its architecture."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
