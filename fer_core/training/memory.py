"""What memory there is, and keeping freed memory for the next step."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

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


def free_memory(table: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that this process could still take without swapping; None where nobody says (not
    Linux)."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
