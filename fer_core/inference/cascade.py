"""MTCNN's three networks run in turn: a picture uint8 (H, W, 3) in, boxes and landmarks out.

As facenet-pytorch's own loop does with the same settings, in less time: every size of the picture
lies on one canvas that the first network reads at once, and all sizes and crops come from one table
of sums. Where two candidates score alike, or at the picture's edge, another one may be kept.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torchvision.ops import nms

from fer_core.inference.summed_area import CHANNELS, cut_squares, fill_with_means, table_of_sums

#: Side in pixels of the square that the first network judges, and its step.
CELL, STEP = 12, 2
_REFINED, _LAST = 24, 48  # sides of the crops that the second and the third network take
#: How a pixel 0..255 becomes the networks' input: (pixel - 127.5) / 128.
_CENTRE, _UNIT = 127.5, 0.0078125
#: Pixels of crops that go through a network together. What it computes of more no longer fits the
#: processor's cache, and its memory is given back to the system and asked for again every time.
_AT_ONCE = 64 * 24 * 24
#: Moves the candidates of one size away from those of every other, in pixels.
_APART = 1e5


@dataclass(frozen=True)
class CascadeSettings:
    """thresholds: least score at each network. factor: of each size of the picture to the one
    before. overlaps: intersection over union from which the weaker of two candidates goes, within
    one size, over all sizes, after the second network; in the third network, the share of the
    smaller box. most: candidates kept for the second and third network.
    """

    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    overlaps: tuple[float, float, float, float] = (0.5, 0.7, 0.7, 0.7)
    most: tuple[int, int] = (1000, 300)


class Found(NamedTuple):
    """boxes float32 (F, 4) as (x0, y0, x1, y1), scores (F,), landmarks (F, 5, 2) as (x, y)."""

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray


class Cascade:
    """The networks as facenet-pytorch defines them; safe to call from several threads."""

    def __init__(
        self,
        proposal: nn.Module,
        refinement: nn.Module,
        output: nn.Module,
        settings: CascadeSettings | None = None,
    ) -> None:
        self.settings = settings or CascadeSettings()
        self._proposal, self._refinement, self._output = (
            _taking_pixels(network) for network in (proposal, refinement, output)
        )
        self._device = next(proposal.parameters()).device

    @torch.inference_mode()
    def find(self, image: np.ndarray, smallest: float) -> Found:
        """Faces of uint8 (H, W, 3) from `smallest` pixels on, by descending score."""
        sums = table_of_sums(image)
        boxes = self._propose(sums, smallest)
        crops, boxes = cut_squares(sums, boxes, _REFINED)
        boxes = self._refine(crops, boxes)
        crops, boxes = cut_squares(sums, boxes, _LAST)
        return self._decide(crops, boxes)

    def _propose(self, sums: np.ndarray, smallest: float) -> torch.Tensor:
        """float32 (N, 4): squares that may hold a face."""
        height, width = sums.shape[0] - 1, sums.shape[1] - 1
        sizes = _layout(height, width, float(smallest), self.settings.factor)
        if not sizes:
            return torch.zeros(0, 4)
        canvas = np.full((*_canvas_size(sizes), CHANNELS), _CENTRE, dtype=np.float32)
        for size in sizes:
            fill_with_means(sums, canvas[size.top : size.bottom, size.left : size.right])
        moves, shares = self._run(self._proposal, canvas[None])
        owner, begin, scale = _owners(sizes, *shares.shape[2:])
        y, x = torch.nonzero(
            (shares[0, 1] >= self.settings.thresholds[0]) & (owner >= 0), as_tuple=True
        )
        number, score = owner[y, x].long(), shares[0, 1][y, x]  # (N,) each
        corner = (torch.stack((x, y), dim=1) - begin[number]) * STEP + 1
        square = (torch.cat((corner, corner + (CELL - 1)), dim=1) / scale[number]).floor()
        within, across = self.settings.overlaps[:2]
        kept = nms(square + number[:, None] * _APART, score, within)
        kept = kept[nms(square[kept], score[kept], across)][: self.settings.most[0]]
        square, move = square[kept], moves[0][:, y[kept], x[kept]].T
        side = (square[:, 2:] - square[:, :2]).repeat(1, 2)
        return _squares(square + move * side)

    def _refine(self, crops: np.ndarray, boxes: torch.Tensor) -> torch.Tensor:
        """crops float32 (N, 24, 24, 4), boxes (N, 4) → the squares (M, 4) that are still likely."""
        if not len(boxes):
            return boxes
        moves, shares = self._run(self._refinement, crops)
        kept = shares[:, 1] > self.settings.thresholds[1]
        boxes, scores = boxes[kept], shares[kept, 1]
        best = nms(boxes, scores, self.settings.overlaps[2])[: self.settings.most[1]]
        return _squares(_moved(boxes[best], moves[kept][best]))

    def _decide(self, crops: np.ndarray, boxes: torch.Tensor) -> Found:
        """crops float32 (N, 48, 48, 4), boxes (N, 4) → what is taken for a face."""
        if not len(boxes):
            return Found(*(np.zeros((0, *shape), np.float32) for shape in ((4,), (), (5, 2))))
        moves, points, shares = self._run(self._output, crops)
        kept = shares[:, 1] > self.settings.thresholds[2]
        boxes, scores = boxes[kept], shares[kept, 1].numpy()
        side = boxes[:, 2:] - boxes[:, :2] + 1
        marks = points[kept].view(-1, 2, 5).transpose(1, 2)  # (N, 5, 2) as (x, y), 0 to 1
        marks = (marks * side[:, None] + boxes[:, None, :2] - 1).numpy()
        moved = _moved(boxes, moves[kept]).numpy()
        best = _distinct(moved, scores, self.settings.overlaps[3])
        return Found(moved[best], scores[best], marks[best])

    def _run(self, network: nn.Module, pixels: np.ndarray) -> tuple[torch.Tensor, ...]:
        """float32 (N, H, W, 4) of 0..255 → the network's answers, on the processor."""
        given = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2)
        at_once = max(_AT_ONCE // (given.shape[2] * given.shape[3]), 1)
        parts = [network(part) for part in given.split(at_once)]
        return tuple(torch.cat(answers).cpu() for answers in zip(*parts, strict=True))


@dataclass(frozen=True)
class _Size:
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

    def is_apart(self, other: _Size) -> bool:
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
def _layout(height: int, width: int, smallest: float, factor: float) -> tuple[_Size, ...]:
    """The sizes at which a picture is read; empty when it is smaller than a face.

    Each lies to the right of one before it or below one, where the canvas grows least.
    """
    sizes: list[_Size] = []
    scale = CELL / smallest
    while min(height, width) * scale >= CELL:
        places = [(0, 0)]
        places += [(size.top, _next_even(size.right)) for size in sizes]
        places += [(_next_even(size.bottom), size.left) for size in sizes]
        shape = int(height * scale + 1), int(width * scale + 1)
        tried = [_Size(scale, top, left, *shape) for top, left in places]
        free = [size for size in tried if all(size.is_apart(other) for other in sizes)]
        sizes.append(min(free, key=lambda size: _area(_canvas_size((*sizes, size)))))
        scale *= factor
    return tuple(sizes)


@lru_cache(16)
def _owners(
    sizes: tuple[_Size, ...], height: int, width: int
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


def _canvas_size(sizes: tuple[_Size, ...]) -> tuple[int, int]:
    return max(size.bottom for size in sizes), max(size.right for size in sizes)


def _taking_pixels(network: nn.Module) -> nn.Module:
    """A copy that takes pixels 0..255, the scaling done by its first convolution's own weights."""
    network = copy.deepcopy(network).eval().requires_grad_(False)
    first = next(part for part in network.modules() if isinstance(part, nn.Conv2d))
    first.bias -= first.weight.sum(dim=(1, 2, 3)) * (_CENTRE * _UNIT)
    unused = first.weight.new_zeros(len(first.weight), CHANNELS - 3, *first.kernel_size)
    first.weight = nn.Parameter(torch.cat((first.weight * _UNIT, unused), dim=1), False)
    return network.to(memory_format=torch.channels_last)


def _moved(boxes: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """(N, 4) with every edge moved by that share of the box's side."""
    return boxes + moves * (boxes[:, 2:] - boxes[:, :2] + 1).repeat(1, 2)


def _squares(boxes: torch.Tensor) -> torch.Tensor:
    """(N, 4): squares with the same centres and the longer sides."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + (size - side) / 2
    return torch.cat((corner, corner + side), dim=1)


def _distinct(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    """Indices by descending score, without boxes that share too much of the smaller of the two."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = np.maximum(high - low + 1, 0).prod(axis=1)
        order = order[shared / np.minimum(area[best], area[order]) <= threshold]
    return kept
