"""glibc's allocator, told to keep what it is given back: tensors are made and freed at the same sizes each step."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h
SETTINGS = {
    "mmap_max": (M_MMAP_MAX, 0),  # tensors of 32 MB and more are not mapped anew each time
    "trim_threshold": (M_TRIM_THRESHOLD, 2**31 - 1),
    "top_pad": (M_TOP_PAD, 64 * 2**20),
}


def keep_freed_memory() -> dict[str, int]:
    """Spare a step its page faults, at the price of memory that lies in pieces. It changes no bits.

    Returns what was set: nothing elsewhere than on glibc.
    """
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "gnu_get_libc_version"):
        return {}
    for option, value in SETTINGS.values():
        libc.mallopt(option, value)
    return {name: value for name, (_, value) in SETTINGS.items()}
