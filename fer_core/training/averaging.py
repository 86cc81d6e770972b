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
    pairs = list(zip(averaged.state_dict().values(), model.state_dict().values(), strict=True))
    moving = [(kept, fresh) for kept, fresh in pairs if kept.dtype.is_floating_point]
    # one launch for all of them: a hundred small ones would be a large share of a step on a GPU
    torch._foreach_lerp_([kept for kept, _ in moving], [fresh for _, fresh in moving], 1 - decay)
    counts = [(kept, fresh) for kept, fresh in pairs if not kept.dtype.is_floating_point]
    if counts:
        torch._foreach_copy_([kept for kept, _ in counts], [fresh for _, fresh in counts])
