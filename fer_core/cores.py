"""One processor core for small work, in a page that shares its machine with a browser.

torch spreads every single operation over the cores. The networks that look for a face and name its
expression are so small that most of an operation then goes by waiting for the other thread:
spinning, which takes the core away from whoever else needs it, or asleep, which takes longer than
one core needs for the whole (results/experiments.md, "Speed of prediction").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_all = 0  # cores that torch had when it was asked for; 0 before


def small_work_on_one_core() -> None:
    """From now on `one_core` means it."""
    global _all
    _all = torch.get_num_threads()


@contextmanager
def one_core(small: bool = True) -> Iterator[None]:
    """What this thread does meanwhile is computed on one core, if it is small.

    torch keeps the number of cores for each thread. A thread that computes for the first time in
    just this moment has one, too, until it has been here itself.
    """
    if not (_all and small):
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(_all)
