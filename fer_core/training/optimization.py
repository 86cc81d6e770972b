"""Optimizers and learning-rate schedules by the names in RunConfig."""

from __future__ import annotations

import math
from typing import Any

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
    # one kernel for all weights, where it is offered; on the CPU torch's own choice
    fused = {"fused": True} if all(value.is_cuda for value in weights) else {}
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            groups,
            rate,
            momentum=config.momentum,
            weight_decay=decay,
            nesterov=config.momentum > 0,
            **fused,
        )
    if config.optimizer == "rprop":  # goes by signs of gradients alone and knows no decay
        return torch.optim.Rprop(weights, rate)
    kind = _PLAIN[config.optimizer]
    offered = fused if kind in (torch.optim.Adam, torch.optim.AdamW) else {}
    return kind(groups, rate, weight_decay=decay, **offered)


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take up a saved state, which may be from another kind of device; how this one computes stays.

    state: of an optimizer of the same kind and groups.
    """
    groups = zip(state["param_groups"], optimizer.param_groups, strict=True)
    own = [
        {**saved, **{key: built[key] for key in ("fused", "foreach") if key in built}}
        for saved, built in groups
    ]
    optimizer.load_state_dict({**state, "param_groups": own})


#: Optimizers that need nothing but a rate and a decay; the rest is torch's own default.
_PLAIN: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "adagrad": torch.optim.Adagrad,
    "asgd": torch.optim.ASGD,
    "rmsprop": torch.optim.RMSprop,
}


def build_schedule(
    config: RunConfig, optimizer: torch.optim.Optimizer, steps: int
) -> LRScheduler | ReduceLROnPlateau:
    """Stepped after every batch; "plateau" after every epoch with the figure that it watches,
    lower is better.

    one_cycle rises to the learning rate over the first quarter and falls to nearly nothing
    (Smith and Topin, arXiv 1708.07120); cosine falls from it to zero; plateau multiplies it by
    `plateau_factor` after `plateau_patience` epochs without a better figure. A budget of updates
    shortens the first two, one of seconds in `advance`.
    """
    total = _updates(config, steps)
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
        # torch's threshold is a share of the best: of a loss, as the measured runs of D had it; a
        # figure that comes with its sign turned is below zero, where it would let worse ones pass
        return ReduceLROnPlateau(
            optimizer,
            factor=config.plateau_factor,
            patience=config.plateau_patience,
            threshold=1e-4 if config.plateau_by == "validation_loss" else 0.0,
        )
    return LambdaLR(optimizer, lambda step: 1.0)


def advance(
    schedule: LRScheduler, config: RunConfig, steps: int, updates: int, time_gone: float
) -> None:
    """On by one update, or to where a budget of seconds has come by now, whichever is further, and
    no further than its end.

    So a run that the clock ends has come to the end of its schedule, too. updates: done, this one
    included. time_gone: share of `max_seconds`, 0 where there is none or where phases have a
    schedule each.
    """
    total = _updates(config, steps)
    if time_gone:
        # each rate follows from the count alone, so that the updates between may be left out
        schedule.last_epoch = min(total - 1, max(updates, int(time_gone * total))) - 1
    if schedule.last_epoch + 1 < total:
        schedule.step()


def _updates(config: RunConfig, steps: int) -> int:
    """What a schedule of so many steps an epoch is made for."""
    return max(2, min(config.epochs * steps, config.max_updates or config.epochs * steps))
