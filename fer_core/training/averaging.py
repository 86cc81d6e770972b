"""The exponential moving average of a network's weights over its updates."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """network: a copy of `model`, whose weights and buffers follow those of `model`."""

    def __init__(self, model: nn.Module) -> None:
        self.network = copy.deepcopy(model).eval()
        # listed once: both networks keep their tensors, and a step on a GPU waits for such lists
        own, followed = (list(one.state_dict().values()) for one in (self.network, model))
        pairs = list(zip(own, followed, strict=True))
        self._moving = [pair for pair in pairs if pair[0].dtype.is_floating_point]
        self._counts = [pair for pair in pairs if not pair[0].dtype.is_floating_point]

    @torch.no_grad()
    def take_in(self, decay: float, updates: int) -> None:
        """Move towards `model`, in place.

        decay: share of the old that stays; less at first, (1 + updates) / (10 + updates), so that
        the random weights of the beginning are soon forgotten.
        """
        decay = min(decay, (1 + updates) / (10 + updates))
        # one launch for all of them: a hundred small ones would be a large share of a step on a GPU
        kept, fresh = zip(*self._moving, strict=True)
        torch._foreach_lerp_(kept, fresh, 1 - decay)
        if self._counts:
            torch._foreach_copy_(*map(list, zip(*self._counts, strict=True)))
