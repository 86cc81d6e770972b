"""MTCNN's three networks run in turn: a picture uint8 (H, W, 3) in, boxes and landmarks out.

As facenet-pytorch's own loop does with the same settings, in less time: every size of the picture
lies on one canvas that the first network reads at once, and all sizes and crops come from one table
of sums. Where two candidates score alike, or at the picture's edge, another one may be kept. With
`CascadeSettings.sure` not every candidate is looked at, and of a face another box may be kept.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torchvision.ops import box_iou, nms

from fer_core.inference.canvas import CELL, STEP, canvas_size, layout, owners
from fer_core.inference.summed_area import CHANNELS, cut_squares, fill_with_means, table_of_sums

_REFINED, _LAST = 24, 48  # sides of the crops that the second and the third network take
#: How a pixel 0..255 becomes the networks' input: (pixel - 127.5) / 128.
_CENTRE, _UNIT = 127.5, 0.0078125
#: Pixels of crops that go through a network together. What it computes of more no longer fits the
#: processor's cache, and its memory is given back to the system and asked for again every time.
_AT_ONCE = 64 * 24 * 24
#: Candidates that share more than this are of one heap, of which the best is asked about first:
#: intersection over union after the first network, the share of the smaller one after the second.
_ONE_HEAP, _ONE_HEAP_REFINED = 0.1, 0.3
#: A sure face speaks for the first network's candidates whose intersection over union with it is
#: more than this, and for the second's that it would push aside in the end.
_SPOKEN_FOR = 0.2
#: Moves the candidates of one size away from those of every other, in pixels.
_APART = 1e5


@dataclass(frozen=True)
class CascadeSettings:
    """thresholds: least score at each network. factor: of each size of the picture to the one
    before. overlaps: intersection over union from which the weaker of two candidates goes, within
    one size, over all sizes, after the second network; in the third network, the share of the
    smaller box. most: candidates kept for the second and third network. sure: a face with this
    score speaks for the candidates about it, which are asked about no more; None: all are asked.
    """

    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    overlaps: tuple[float, float, float, float] = (0.5, 0.7, 0.7, 0.7)
    most: tuple[int, int] = (1000, 300)
    sure: float | None = None


class Found(NamedTuple):
    """boxes float32 (F, 4) as (x0, y0, x1, y1), scores (F,), landmarks (F, 5, 2) as (x, y)."""

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray


class _Candidates(NamedTuple):
    """boxes float32 (N, 4), squares that may hold a face; scores (N,) of the last network asked."""

    boxes: torch.Tensor
    scores: torch.Tensor

    def split(self, chosen: torch.Tensor | Sequence[int]) -> tuple[_Candidates, _Candidates]:
        """Those with these indices, and the others."""
        others = torch.ones(len(self.boxes), dtype=torch.bool)
        others[chosen] = False
        return self.where(~others), self.where(others)

    def where(self, kept: torch.Tensor) -> _Candidates:
        return _Candidates(self.boxes[kept], self.scores[kept])


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
        for network in (self._proposal, self._refinement):
            _widen(network)
        self._device = next(proposal.parameters()).device

    @torch.inference_mode()
    def find(self, image: np.ndarray, smallest: float) -> Found:
        """Faces of uint8 (H, W, 3) from `smallest` pixels on, by descending score."""
        sums = table_of_sums(image)
        candidates = self._propose(sums, smallest)
        if self.settings.sure is None:
            found = self._decide(sums, self._refine(sums, candidates))
        else:
            found = self._best_first(sums, candidates, self.settings.sure)
        best = _distinct(found.boxes, found.scores, self.settings.overlaps[3])
        return Found(*(value[best] for value in found))

    def _best_first(self, sums: np.ndarray, candidates: _Candidates, sure: float) -> Found:
        """As `_decide` says of all candidates, but for those that a sure face speaks for.

        A face has some thirty candidates, so that a group picture is spared most of its work.
        """
        first, later = candidates.split(nms(*candidates, _ONE_HEAP))
        likely = self._refine(sums, first)
        best, doubtful = likely.split(
            _distinct(likely.boxes.numpy(), likely.scores.numpy(), _ONE_HEAP_REFINED)
        )
        found = self._decide(sums, best)
        faces = torch.from_numpy(found.boxes[found.scores >= sure])
        if len(faces):
            later = later.where((box_iou(later.boxes, faces) <= _SPOKEN_FOR).all(dim=1))
        likely = self._refine(sums, later)
        doubtful = _Candidates(*map(torch.cat, zip(doubtful, likely, strict=True)))
        if len(faces):
            shared = _shared(doubtful.boxes.numpy()[:, None], faces.numpy())  # (N, faces)
            kept = (shared <= self.settings.overlaps[3]).all(axis=1)
            doubtful = doubtful.where(torch.from_numpy(kept))
        more = self._decide(sums, doubtful)
        return Found(*map(np.concatenate, zip(found, more, strict=True)))

    def _propose(self, sums: np.ndarray, smallest: float) -> _Candidates:
        """What the first network takes for a face, by descending score."""
        height, width = sums.shape[0] - 1, sums.shape[1] - 1
        sizes = layout(height, width, float(smallest), self.settings.factor)
        if not sizes:
            return _Candidates(torch.zeros(0, 4), torch.zeros(0))
        canvas = np.full((*canvas_size(sizes), CHANNELS), _CENTRE, dtype=np.float32)
        for size in sizes:
            fill_with_means(sums, canvas[size.top : size.bottom, size.left : size.right])
        moves, shares = self._run(self._proposal, canvas[None])
        owner, begin, scale = owners(sizes, *shares.shape[2:])
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
        return _Candidates(_squares(square + move * side), score[kept])

    def _refine(self, sums: np.ndarray, candidates: _Candidates) -> _Candidates:
        """Those that are still likely, moved, by descending score of the second network."""
        crops, boxes = cut_squares(sums, candidates.boxes, _REFINED)
        if not len(boxes):
            return _Candidates(boxes, torch.zeros(0))
        moves, shares = self._run(self._refinement, crops)
        kept = shares[:, 1] > self.settings.thresholds[1]
        boxes, scores = boxes[kept], shares[kept, 1]
        best = nms(boxes, scores, self.settings.overlaps[2])[: self.settings.most[1]]
        return _Candidates(_squares(_moved(boxes[best], moves[kept][best])), scores[best])

    def _decide(self, sums: np.ndarray, candidates: _Candidates) -> Found:
        """What is taken for a face; one may still be found more than once."""
        crops, boxes = cut_squares(sums, candidates.boxes, _LAST)
        if not len(boxes):
            return Found(*(np.zeros((0, *shape), np.float32) for shape in ((4,), (), (5, 2))))
        moves, points, shares = self._run(self._output, crops)
        kept = shares[:, 1] > self.settings.thresholds[2]
        boxes, scores = boxes[kept], shares[kept, 1].numpy()
        side = boxes[:, 2:] - boxes[:, :2] + 1
        marks = points[kept].view(-1, 2, 5).transpose(1, 2)  # (N, 5, 2) as (x, y), 0 to 1
        marks = (marks * side[:, None] + boxes[:, None, :2] - 1).numpy()
        return Found(_moved(boxes, moves[kept]).numpy(), scores, marks)

    def _run(self, network: nn.Module, pixels: np.ndarray) -> tuple[torch.Tensor, ...]:
        """float32 (N, H, W, 4) of 0..255 → the network's answers, on the processor."""
        given = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2)
        at_once = max(_AT_ONCE // (given.shape[2] * given.shape[3]), 1)
        parts = [network(part) for part in given.split(at_once)]
        return tuple(torch.cat(answers).cpu() for answers in zip(*parts, strict=True))


def _taking_pixels(network: nn.Module) -> nn.Module:
    """A copy that takes pixels 0..255, the scaling done by its first convolution's own weights."""
    network = copy.deepcopy(network).eval().requires_grad_(False)
    first = next(part for part in network.modules() if isinstance(part, nn.Conv2d))
    first.bias -= first.weight.sum(dim=(1, 2, 3)) * (_CENTRE * _UNIT)
    unused = first.weight.new_zeros(len(first.weight), CHANNELS - 3, *first.kernel_size)
    first.weight = nn.Parameter(torch.cat((first.weight * _UNIT, unused), dim=1), False)
    return network.to(memory_format=torch.channels_last)


def _widen(network: nn.Module) -> None:
    """Add features that are always 0 to the first layer's: a processor takes eight at once."""
    first, slope, second = network.conv1, network.prelu1, network.conv2
    more = -len(first.weight) % 8
    for part, name, dim in (
        (first, "weight", 0),
        (first, "bias", 0),
        (slope, "weight", 0),
        (second, "weight", 1),
    ):
        value = getattr(part, name)
        shape = (*value.shape[:dim], more, *value.shape[dim + 1 :])
        wide = torch.cat((value, value.new_zeros(shape)), dim=dim)
        setattr(part, name, nn.Parameter(wide, requires_grad=False))
    network.to(memory_format=torch.channels_last)


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
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[_shared(boxes[best], boxes[order]) <= threshold]
    return kept


def _shared(box: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(..., 4) each → (...): what both share, as a share of the smaller one."""
    low, high = np.maximum(box[..., :2], other[..., :2]), np.minimum(box[..., 2:], other[..., 2:])
    area, others = ((one[..., 2:] - one[..., :2] + 1).prod(axis=-1) for one in (box, other))
    return np.maximum(high - low + 1, 0).prod(axis=-1) / np.minimum(area, others)
