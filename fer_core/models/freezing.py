"""Layers that keep their weights: the first ones of any network, and what that asks of training."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from fer_core.models.network import ModelError

MOST = 0.95


def freeze_first(model: nn.Module, share: float) -> int:
    """Freeze that share (0-0.95) of the layers that hold weights, in the order of their definition,
    which is from the input on. Returns how many single weights are frozen in them.

    A share above 0 freezes at least one layer, and the last one is always left to train.
    """
    if not 0 <= share <= MOST:
        raise ModelError(f"the frozen share must be 0 to {MOST:g}, got {share}")
    layers = [layer for layer in model.modules() if list(layer.parameters(recurse=False))]
    count = min(max(1, round(share * len(layers))), len(layers) - 1) if share else 0
    frozen = [weights for layer in layers[:count] for weights in layer.parameters(recurse=False)]
    for weights in frozen:
        weights.requires_grad_(False)
    return sum(weights.numel() for weights in frozen)


def set_training(model: nn.Module) -> None:
    """`model.train()`, but normalisation layers with frozen weights keep their statistics too."""
    model.train()
    for layer in model.modules():
        weights = list(layer.parameters(recurse=False))
        if isinstance(layer, _NormBase) and weights and not any(w.requires_grad for w in weights):
            layer.eval()
