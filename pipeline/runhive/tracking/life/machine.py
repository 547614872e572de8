"""What a run runs on, told without torch: interpreter, host, processors, driver, packages."""

import os
import platform
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pynvml

PACKAGES = "packages.txt"
TOLD = (
    "dvc", "numpy", "onnx", "onnxruntime", "pandas", "pillow", "runhive", "safetensors", "scikit-learn", "torch",
    "torchvision",
)  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """Interpreter, host, processors, and the versions of the packages that matter most."""
    installed = packages()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        **_gpus(),
        "packages": {name: installed[name] for name in TOLD if name in installed},
    }


def packages() -> dict[str, str]:
    """Every installed distribution with its version, sorted."""
    found = {str(one.metadata["Name"]).lower().replace("_", "-"): one.version for one in distributions()}
    return dict(sorted(found.items()))


def package_list() -> bytes:
    """The installed distributions, one a line as pip takes them."""
    return "".join(f"{name}=={version}\n" for name, version in packages().items()).encode()


def visible_gpus() -> list[Any]:
    """The NVIDIA GPUs that this process may use, as NVML handles; none where there is no driver.

    CUDA_VISIBLE_DEVICES names them by index or by UUID.
    """
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return handles
    names = [name.strip() for name in chosen.split(",")]
    uuids = {index: str(pynvml.nvmlDeviceGetUUID(handle)) for index, handle in enumerate(handles)}
    return [
        handle
        for index, handle in enumerate(handles)
        if str(index) in names or any(name and uuids[index].startswith(name) for name in names)
    ]


def _gpus() -> dict[str, Any]:
    handles = visible_gpus()
    if not handles:
        return {"gpu": None}
    driver = None
    with suppress(pynvml.NVMLError):
        driver = str(pynvml.nvmlSystemGetDriverVersion())
    return {"gpu": str(pynvml.nvmlDeviceGetName(handles[0])), "gpus": len(handles), "driver": driver}


def _cpu_model() -> str:
    """The processor's name as Linux tells it; elsewhere its architecture."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
