"""How many processor cores torch computes on in a page that shares them with a browser.

torch spreads every single operation over the cores. The networks that look for a face and name its
expression are so small that most of an operation then goes by waiting for the other thread:
spinning, which takes the core away from whoever else needs it, or asleep, which takes longer than
one core needs for the whole (results/experiments.md). Large work still has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

#: A batch with more pixels than this is large: more than 35 pictures of 48 x 48.
_LARGE = 35 * 48 * 48

_all = 0  # cores that large work has; 0 while nothing was asked for


def small_work_on_one_core() -> None:
    """From now on torch computes on one core, but for batches that `cores_for` calls large."""
    global _all
    _all = _all or torch.get_num_threads()
    torch.set_num_threads(1)


@contextmanager
def cores_for(pictures: int, side: int) -> Iterator[None]:
    """As many cores as so many square pictures are worth, for what this thread does meanwhile.

    torch keeps their number for each thread. A thread that computes for the first time in just this
    moment may have all of them until its own next large batch.
    """
    if not _all or pictures * side * side <= _LARGE:
        yield
        return
    torch.set_num_threads(_all)
    try:
        yield
    finally:
        torch.set_num_threads(1)
