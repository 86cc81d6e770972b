"""A memory beside a classifier: the labels of the training faces whose features are most like the
face's own, weighted by likeness.

A nearest-neighbour rule on a network's features (Papernot and McDaniel, arXiv 1803.04765), mixed
into its own answer as in language models (Khandelwal et al., arXiv 1911.00172), the more of it the
more alike the nearest face is. What is kept of a face is a few bytes (product quantisation, Jégou
et al., doi 10.1109/TPAMI.2010.57). Fitted after the training (`training.recall_fit`), never by
gradients: every number here is frozen.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

#: Patterns that one byte of a remembered face chooses from.
PATTERNS = 256
#: How soon the memory's share of an answer rises about the likeness `Recall.alike`.
EDGE = 0.03
#: Bytes, and faces times classes, that a memory may have at most: a stranger's file says how many.
MOST_BYTES, MOST_ANSWERS = 100_000_000, 50_000_000
_ROWS = 64  # of likenesses compared side by side
_LEAST = 1e-7  # of a probability, before its logarithm


class Recall(nn.Module):
    """Enters: scores (B, classes) and features (B, C). Leaves: log-probabilities (B, classes).

    faces: how many it remembers, class by class, so that no label is kept of any. codes: bytes
    kept of each face. numbers: of a face's description, a multiple of codes; each byte names the
    pattern that stands for its part of them.
    """

    def __init__(self, faces: int, features: int, classes: int, codes: int, numbers: int) -> None:
        super().__init__()
        if codes < 1:
            raise ValueError(
                "this memory is of an older kind, without bytes; give the network a new one with "
                "python -m fer_core remember"
            )
        if faces * codes > MOST_BYTES or faces * classes > MOST_ANSWERS:
            raise ValueError(
                f"a memory of {faces:,} faces with {codes} bytes each and {classes} classes is too "
                f"large; at most {MOST_BYTES:,} bytes and {MOST_ANSWERS:,} faces times classes"
            )
        if numbers < codes or numbers % codes:
            raise ValueError(
                f"numbers must be a multiple of codes, got {numbers} and {codes}; "
                f"try numbers={max(1, numbers // codes) * codes}"
            )
        self.classes = classes
        self.centre = _frozen(features)
        self.directions = _frozen(features, numbers)
        self.patterns = _frozen(codes, PATTERNS, numbers // codes)
        self.codes = nn.Parameter(torch.zeros(faces, codes, dtype=torch.uint8), requires_grad=False)
        #: A face whose likeness is this much lower weighs e times less.
        self.width = nn.Parameter(torch.ones(()), requires_grad=False)
        #: Of an answer, what comes from the memory: the least where no remembered face is like the
        #: asked one, the most where one is, and half-way at a likeness of `alike`.
        self.least, self.most, self.alike = _frozen(), _frozen(), _frozen()
        self.register_buffer("faces_per_class", torch.zeros(classes, dtype=torch.int64))
        #: Made from the others, for speed: int32 (faces, codes), the rows of the patterns in one
        #: table of all; float32 (faces, 1), the length of what the patterns give; float32
        #: (faces, classes), a single 1 at each label.
        self.register_buffer("rows", torch.zeros(faces, codes, dtype=torch.int32), persistent=False)
        self.register_buffer("lengths", torch.ones(faces, 1), persistent=False)
        self.register_buffer("answers", torch.zeros(faces, classes), persistent=False)
        self.register_load_state_dict_post_hook(_check_and_settle)

    @torch.no_grad()
    def settle(self) -> None:
        """Call it when patterns, codes or faces_per_class were written to; loading weights does."""
        begin = torch.arange(self.codes.shape[1], device=self.codes.device) * PATTERNS
        self.rows.copy_(self.codes.int() + begin.int())
        squares = self.patterns.float().square().sum(dim=2).view(-1, 1)
        lengths = functional.embedding_bag(self.rows, squares, mode="sum").sqrt()
        self.lengths.copy_(lengths.clamp_min(_LEAST))
        self.answers.zero_().scatter_(1, self.labels()[:, None], 1)

    def describe(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C) → (B, numbers), rows of length 1: what is compared."""
        return functional.normalize((features - self.centre) @ self.directions, dim=1)

    def encode(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C) → uint8 (B, codes): of each part of the description, the nearest pattern."""
        parts = self.describe(features).unflatten(1, self.patterns.shape[::2])  # (B, codes, n)
        return torch.cdist(parts.transpose(0, 1), self.patterns).argmin(dim=2).T.to(torch.uint8)

    def likeness(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C) → (faces, B): cosines, as far as the patterns give each remembered face.

        A table of every pattern's part of the product is made once for a face, so that a
        remembered one costs as many sums as it has bytes.
        """
        parts = self.describe(features).unflatten(1, self.patterns.shape[::2])  # (B, codes, n)
        table = torch.bmm(self.patterns, parts.permute(1, 2, 0))  # (codes, PATTERNS, B)
        flat = table.flatten(0, 1)
        if torch.onnx.is_in_onnx_export():  # there a bag becomes a loop over the faces
            return flat[self.rows.long()].sum(dim=1) / self.lengths
        return functional.embedding_bag(self.rows, flat, mode="sum") / self.lengths

    def labels(self) -> torch.Tensor:
        """int64 (faces,): of each remembered face; in range whatever a stranger's file counts."""
        places = torch.arange(len(self.codes), device=self.codes.device)
        ends = self.faces_per_class.cumsum(0)[:-1]
        return (places[:, None] >= ends).sum(dim=1)

    def recalled(
        self, features: torch.Tensor, but: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C) → probabilities (B, classes) from the memory alone, and the likeness (B, 1) of
        the most alike remembered face.

        but: int64 (B,), a remembered face for each that is not to be recalled, such as itself.
        """
        likeness = self.likeness(features)
        if but is not None:
            likeness = likeness.scatter(0, but[None], float("-inf"))
        nearest = _most_alike(likeness)
        weights = ((likeness - nearest) / self.width).exp()  # (faces, B), 1 for the nearest
        sums = weights.T @ self.answers
        return sums / sums.sum(dim=1, keepdim=True), nearest[:, None]

    def share(self, nearest: torch.Tensor) -> torch.Tensor:
        """Likeness of the nearest face → what the memory adds to the answer, 0 to 1."""
        rise = ((nearest - self.alike) / EDGE).sigmoid()
        return self.least + (self.most - self.least) * rise

    def forward(
        self, scores: torch.Tensor, features: torch.Tensor, but: torch.Tensor | None = None
    ) -> torch.Tensor:
        own = scores.softmax(dim=1)
        recalled, nearest = self.recalled(features, but)
        mixed = own + self.share(nearest) * (recalled - own)
        return mixed.clamp_min(_LEAST).log()


def _check_and_settle(recall: Recall, _: object) -> None:
    """After loading; ValueError for numbers that no fit gives and that would answer with NaN."""
    width, least, most, alike = (
        float(value) for value in (recall.width, recall.least, recall.most, recall.alike)
    )
    if not (0 < width < math.inf and 0 <= least <= most <= 1 and math.isfinite(alike)):
        raise ValueError(
            "a memory's width must be above 0, its shares 0 to 1, the least not above the most, "
            f"got width {width}, least {least}, most {most}, alike {alike}"
        )
    for name in ("centre", "directions", "patterns"):
        if not getattr(recall, name).isfinite().all():
            raise ValueError(f"a memory's {name} must be finite numbers")
    recall.settle()


def _most_alike(likeness: torch.Tensor) -> torch.Tensor:
    """(faces, B) → (B,), the largest of each column.

    In two steps, for over the first of two dimensions with few columns `amax` is slow: as many
    rows as _ROWS are compared side by side, then those with one another.
    """
    even = len(likeness) // _ROWS * _ROWS
    best = likeness[:even].unflatten(0, (-1, _ROWS)).amax(dim=0) if even else likeness[:0]
    return torch.cat((best, likeness[even:])).amax(dim=0)


def _frozen(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape), requires_grad=False)
