"""glibc's allocator, told to keep what it is given back: tensors are made and freed at the same sizes each step."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h
SETTINGS = {
    "mmap_max": (M_MMAP_MAX, 0),  # tensors of 32 MB and more are not mapped anew each time
    "trim_threshold": (M_TRIM_THRESHOLD, 2**31 - 1),
    "top_pad": (M_TOP_PAD, 64 * 2**20),
}


def keep_freed_memory() -> None:
    """Spare a step its page faults. Elsewhere than on glibc it does nothing. It changes no bits."""
    for option, value in SETTINGS.values() if _is_glibc() else ():
        ctypes.CDLL(None).mallopt(option, value)


def allocator_settings() -> dict[str, int] | None:
    """What `keep_freed_memory` sets here, for the run's record; None where it does nothing."""
    return {name: value for name, (_, value) in SETTINGS.items()} if _is_glibc() else None


def _is_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
