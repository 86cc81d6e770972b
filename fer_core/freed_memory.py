"""Freed memory stays with a process that computes, where the GNU C library is what allots it.

By itself that library gives large freed blocks back to the system and asks for them again at the
next batch, whose every page the system then has to clear anew (mallopt(3), M_TRIM_THRESHOLD and
M_MMAP_THRESHOLD). What a network needs of it is the same from batch to batch.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8  # malloc.h
_MEGABYTE = 1 << 20


def keep_freed_memory(all_of_it: bool = True) -> bool:
    """Ask for it; False where another library allots memory, of which nothing is asked.

    all_of_it: for a process that ends with its work. For a page that runs for weeks there is a
    bound: blocks of more than 32 MB still go back, and what is free beyond 64 MB at the end of each
    of the four areas that all threads share.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl, as in Alpine, has none
        return False
    mallopt.argtypes, mallopt.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    if all_of_it:
        wanted = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}
    else:
        wanted = {_MMAP_THRESHOLD: 32 * _MEGABYTE, _TRIM_THRESHOLD: 64 * _MEGABYTE, _ARENA_MAX: 4}
    return all(mallopt(option, value) == 1 for option, value in wanted.items())
