"""Sharpness-aware steps (Foret et al., arXiv 2010.01412): the gradient is taken where the loss near
the weights is highest, to first order, and applied to the weights themselves."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


@torch.no_grad()
def climb(parameters: Iterable[nn.Parameter], radius: float) -> list[torch.Tensor]:
    """Move the weights by `radius` along their gradient and clear it; returns the moves, in the
    order of the weights that have a gradient. `descend` takes them back."""
    moved = [value for value in parameters if value.grad is not None]
    length = torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(value.grad) for value in moved])
    )
    scale = radius / (length + 1e-12)
    moves = []
    for value in moved:
        move = value.grad * scale
        value.add_(move)
        value.grad = None
        moves.append(move)
    return moves


@torch.no_grad()
def descend(parameters: Iterable[nn.Parameter], moves: list[torch.Tensor]) -> None:
    """Take the moves of `climb` back; the gradients found meanwhile stay."""
    moved = [value for value in parameters if value.grad is not None]
    for value, move in zip(moved, moves, strict=True):
        value.sub_(move)
