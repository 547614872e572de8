"""Is there a CUDA device? Asked of NVIDIA's driver itself, in milliseconds and without torch."""

import ctypes

from runhive.errors import RunhiveError


def admit_device(name: str) -> None:
    """Raise RunhiveError where `train.device` is cuda and the driver or a device is absent."""
    if name == "cuda" and not _count_devices():
        raise RunhiveError("params.yaml: train.device: no CUDA device here: set auto or cpu, or mend the driver")


def _count_devices() -> int:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value
