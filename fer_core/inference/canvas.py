"""The sizes at which a picture is read, laid side by side on one canvas that the detector's first
network takes in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

#: Side in pixels of the square that the first network judges, and its step.
CELL, STEP = 12, 2


@dataclass(frozen=True)
class Size:
    """One size of the picture on the canvas; its corner has even coordinates, as the step has."""

    scale: float
    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width

    def is_apart(self, other: Size) -> bool:
        """Whether the network's view of one does not reach into the other."""
        return (
            self.top >= _next_even(other.bottom)
            or other.top >= _next_even(self.bottom)
            or self.left >= _next_even(other.right)
            or other.left >= _next_even(self.right)
        )

    @property
    def answers(self) -> tuple[slice, slice]:
        """Where the first network's answers for this size lie among those for the canvas."""
        spans = []
        for start, length in ((self.top, self.height), (self.left, self.width)):
            count = -(-(length - 2) // 2) - 4  # a 3x3, a pooling by two, two more 3x3
            spans.append(slice(start // STEP, start // STEP + count))
        return spans[0], spans[1]


@lru_cache(64)
def layout(height: int, width: int, smallest: float, factor: float) -> tuple[Size, ...]:
    """The sizes at which a picture is read; empty when it is smaller than a face.

    Each lies to the right of one before it or below one, where the canvas grows least.
    """
    sizes: list[Size] = []
    scale = CELL / smallest
    while min(height, width) * scale >= CELL:
        places = [(0, 0)]
        places += [(size.top, _next_even(size.right)) for size in sizes]
        places += [(_next_even(size.bottom), size.left) for size in sizes]
        shape = int(height * scale + 1), int(width * scale + 1)
        tried = [Size(scale, top, left, *shape) for top, left in places]
        free = [size for size in tried if all(size.is_apart(other) for other in sizes)]
        sizes.append(min(free, key=lambda size: _area(canvas_size((*sizes, size)))))
        scale *= factor
    return tuple(sizes)


@lru_cache(16)
def owners(
    sizes: tuple[Size, ...], height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """int16 (height, width): which size each of the first network's answers belongs to, -1 for one
    that looks beyond; of each size int64 (S, 2), its first answer as (x, y), and float32 (S, 1).
    """
    owner = torch.full((height, width), -1, dtype=torch.int16)
    for number, size in enumerate(sizes):
        owner[size.answers] = number
    begin = torch.tensor([(size.left, size.top) for size in sizes]) // STEP
    return owner, begin, torch.tensor([[size.scale] for size in sizes])


def _next_even(edge: int) -> int:
    """The first even place at least two pixels on."""
    return edge + 2 + edge % 2


def _area(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]


def canvas_size(sizes: tuple[Size, ...]) -> tuple[int, int]:
    return max(size.bottom for size in sizes), max(size.right for size in sizes)
