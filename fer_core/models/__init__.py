"""Networks by name: `MODELS`, `build_model`, and what one costs, `describe_model`.

A builder takes (classes, channels, image_size, options) and returns a module that maps
images float32 (B, C, S, S) to logits (B, classes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fer_core.models.competition import CompetitionBaseline
from fer_core.models.expressnet import ExpressNet

Builder = Callable[[int, int, int, dict[str, Any]], nn.Module]


class ModelError(ValueError):
    """A model that cannot be built. The message says what was wrong, what was got, what to do."""


def _expressnet(classes: int, channels: int, image_size: int, options: dict[str, Any]) -> nn.Module:
    for name in ("widths", "depths"):  # JSON knows lists only
        if name in options:
            options[name] = tuple(options[name])
    return ExpressNet(classes, channels, **options)


def _small_expressnet(
    classes: int, channels: int, image_size: int, options: dict[str, Any]
) -> nn.Module:
    """An ExpressNet for demonstrations: a third of the width, trained in seconds per epoch."""
    small = {"widths": (12, 24, 48), "depths": (1, 1, 1), "dropout": 0.1}
    return _expressnet(classes, channels, image_size, {**small, **options})


def _competition(
    classes: int, channels: int, image_size: int, options: dict[str, Any]
) -> nn.Module:
    if image_size % 8:
        raise ModelError(
            f"competition_baseline halves the picture three times: image_size must be a multiple "
            f"of 8, got {image_size}; try 48"
        )
    return CompetitionBaseline(classes, channels, image_size, **options)


MODELS: dict[str, Builder] = {
    "expressnet": _expressnet,
    "expressnet_demo": _small_expressnet,
    "competition_baseline": _competition,
}


@dataclass(frozen=True)
class ModelFacts:
    """parameters: all of them; trainable: those a run changes; gflops: of one forward pass of one
    image, a multiply-add counted as two."""

    name: str
    parameters: int
    trainable: int
    gflops: float


def build_model(
    name: str, classes: int, channels: int, image_size: int, options: dict[str, Any] | None = None
) -> nn.Module:
    """A fresh network with random weights. Raises ModelError for an unknown name or option."""
    if name not in MODELS:
        raise ModelError(f"unknown model {name!r}; known: {', '.join(sorted(MODELS))}")
    try:
        return MODELS[name](classes, channels, image_size, dict(options or {}))
    except TypeError as error:
        raise ModelError(f"model {name} does not take the options {options}: {error}") from error


def describe_model(model: nn.Module, name: str, channels: int, image_size: int) -> ModelFacts:
    """Counts of a built network, from one forward pass of one image on its own device."""
    parameters = list(model.parameters())
    image = torch.zeros(1, channels, image_size, image_size, device=parameters[0].device)
    was_training = model.training
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    model.train(was_training)
    return ModelFacts(
        name=name,
        parameters=sum(weights.numel() for weights in parameters),
        trainable=sum(weights.numel() for weights in parameters if weights.requires_grad),
        gflops=counter.get_total_flops() / 1e9,
    )
