"""Keeping freed memory for the next step, where the C library would give it back to the system."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # from glibc's malloc.h


def keep_freed_memory() -> bool:
    """Tell glibc to reuse freed blocks; False where that cannot be told (other systems).

    Each training step frees and asks again for hundreds of megabytes of activations. By default
    glibc returns them to the system, which then clears every page anew at each step.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
