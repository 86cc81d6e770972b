"""A memory beside a classifier: the labels of the training faces whose features are most like the
face's own, weighted by likeness.

A nearest-neighbour rule on a network's features (Papernot and McDaniel, arXiv 1803.04765), mixed
into its own answer as in language models (Khandelwal et al., arXiv 1911.00172). Fitted after the
training (`fer_core.training.remember`), never by gradients: every number here is frozen.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

#: Numbers that are kept of each face, at most; the features have at least as many.
DIMENSIONS = 64
_LEAST = 1e-7  # of a probability, before its logarithm


class Recall(nn.Module):
    """Enters: scores (B, classes) and features (B, C). Leaves: log-probabilities (B, classes).

    faces: how many it remembers.
    """

    def __init__(self, faces: int, features: int, classes: int) -> None:
        super().__init__()
        size = min(DIMENSIONS, features)
        self.classes = classes
        self.centre = _frozen(features)
        self.directions = _frozen(features, size)
        #: Rows of length 1.
        self.keys = _frozen(faces, size)
        #: A key whose cosine with the face is this much lower weighs e times less.
        self.width = nn.Parameter(torch.ones(()), requires_grad=False)
        #: Of the answer, what comes from the memory, 0 to 1.
        self.share = _frozen()
        self.register_buffer("labels", torch.zeros(faces, dtype=torch.int16))

    def describe(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C) → (B, DIMENSIONS), rows of length 1: what is compared."""
        return functional.normalize((features - self.centre) @ self.directions, dim=1)

    def answers(self) -> torch.Tensor:
        """int64 (faces, classes): the label of each remembered face as a row with a single 1."""
        known = self.labels.long().clamp_max(self.classes - 1)  # a stranger's file may hold others
        return functional.one_hot(known, self.classes)

    def recalled(self, features: torch.Tensor, but: torch.Tensor | None = None) -> torch.Tensor:
        """(B, C) → probabilities (B, classes) from the memory alone.

        but: int64 (B,), a remembered face for each that is not to be recalled, such as itself.
        """
        likeness = self.describe(features) @ self.keys.T  # (B, faces), cosines
        if but is not None:
            likeness = likeness.scatter(1, but[:, None], float("-inf"))
        weights = (likeness / self.width).softmax(dim=1)
        return weights @ self.answers().to(weights.dtype)

    def forward(
        self, scores: torch.Tensor, features: torch.Tensor, but: torch.Tensor | None = None
    ) -> torch.Tensor:
        own = scores.softmax(dim=1)
        mixed = own + self.share * (self.recalled(features, but) - own)
        return mixed.clamp_min(_LEAST).log()


def _frozen(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape), requires_grad=False)
