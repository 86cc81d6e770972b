"""The losses by their names in RunConfig: scores and targets of a batch to one number."""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from fer_core.runs.config import RunConfig

#: Added to a probability before its logarithm, as the report of the two-phase system does.
_TINY = 1e-10


def training_loss(
    config: RunConfig, scores: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None
) -> torch.Tensor:
    """Mean loss of a batch.

    scores: float32 (B, classes), softmax not yet taken. targets: int64 (B,), or float32
    (B, classes) whose rows sum to 1. weights: float32 (classes,) or None; with weights the mean
    over labels is the weighted one, that over shares is not divided by them (as torch has it).
    """
    if config.loss == "one_hot_nll":
        return one_hot_nll(scores.softmax(dim=1), targets, weights, config.label_smoothing)
    return functional.cross_entropy(
        scores, targets, weight=weights, label_smoothing=config.label_smoothing
    )


def share_of_batch(
    config: RunConfig, part: torch.Tensor, whole: torch.Tensor, weights: torch.Tensor | None
) -> torch.Tensor | float:
    """What the loss of a part counts in that of its batch, so that the parts' losses add up to it.

    part, whole: targets as in `training_loss`. A share of the images, or, where the mean is
    weighted, of the weights.
    """
    if weights is None or (whole.ndim > 1 and config.loss != "one_hot_nll"):
        return len(part) / len(whole)
    of_part, of_whole = (
        (weights[targets] if targets.ndim == 1 else targets @ weights).sum()
        for targets in (part, whole)
    )
    return of_part / of_whole


def one_hot_nll(
    probabilities: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """−Σ t·log(p + 1e-10) with one-hot targets t, mean over the batch.

    probabilities: float32 (B, classes), rows summing to 1. targets: int64 (B,), or float32
    (B, classes) that need not be one-hot. smoothing: share of the target that is
    spread over all classes, 0-1. weights: float32 (classes,), by the true class.
    """
    classes = probabilities.shape[1]
    if targets.ndim == 1:
        targets = functional.one_hot(targets, classes).to(probabilities.dtype)  # (B, classes)
    of_class = None if weights is None else targets @ weights  # (B,)
    targets = targets * (1 - smoothing) + smoothing / classes
    losses = -(targets * (probabilities + _TINY).log()).sum(dim=1)  # (B,)
    if of_class is None:
        return losses.mean()
    return (losses * of_class).sum() / of_class.sum()
