"""The exponential moving average of a network's weights over its updates."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def average_into(averaged: nn.Module, model: nn.Module, decay: float, updates: int) -> None:
    """Move weights and buffers of `averaged` towards those of `model`, in place.

    decay: share of the old that stays; less at first, (1 + updates) / (10 + updates), so that the
    random weights of the beginning are soon forgotten.
    """
    decay = min(decay, (1 + updates) / (10 + updates))
    pairs = zip(averaged.state_dict().values(), model.state_dict().values(), strict=True)
    for kept, fresh in pairs:
        if kept.dtype.is_floating_point:
            kept.lerp_(fresh, 1 - decay)
        else:
            kept.copy_(fresh)
