"""Optimizers and learning-rate schedules by the names in RunConfig."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from fer_core.runs.config import RunConfig


def build_optimizer(config: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer over all weights that are to be changed.

    Weight decay leaves out biases and the scales of normalisation, which have one dimension.
    """
    weights = [value for value in model.parameters() if value.requires_grad]
    groups = [
        {"params": [value for value in weights if value.ndim > 1]},
        {"params": [value for value in weights if value.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            groups, rate, momentum=config.momentum, weight_decay=decay, nesterov=config.momentum > 0
        )
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, rate, weight_decay=decay)
    return torch.optim.AdamW(groups, rate, weight_decay=decay)


def build_schedule(
    config: RunConfig, optimizer: torch.optim.Optimizer, steps: int
) -> LRScheduler | ReduceLROnPlateau:
    """Stepped after every batch; "plateau" after every epoch with the validation loss.

    one_cycle rises to the learning rate over the first quarter and falls to nearly nothing
    (Smith and Topin, arXiv 1708.07120); cosine falls from it to zero; plateau halves it after
    three epochs without a better loss.
    """
    total = max(2, config.epochs * steps)
    if config.schedule == "one_cycle":
        rise = 0.5 if total == 4 else 0.25  # a quarter of four makes OneCycleLR divide by zero
        return OneCycleLR(
            optimizer, config.learning_rate, total_steps=total, pct_start=rise, cycle_momentum=False
        )
    if config.schedule == "cosine":
        return LambdaLR(
            optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(1, step / total)))
        )
    if config.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
    return LambdaLR(optimizer, lambda step: 1.0)
