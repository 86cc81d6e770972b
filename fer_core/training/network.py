"""The network that a run begins with: built, with weights to start from, partly frozen."""

from __future__ import annotations

from torch import nn

from fer_core.data.preprocess import Preprocessing
from fer_core.models import build_model
from fer_core.models.freezing import freeze_first
from fer_core.runs.checkpoint import load_start
from fer_core.runs.config import RunConfig


def first_network(config: RunConfig, classes: int, preprocessing: Preprocessing) -> nn.Module:
    """As `config` names it, on the CPU; what `build_model` and `load_start` raise."""
    model = build_model(
        config.model,
        classes,
        preprocessing.channels,
        preprocessing.image_size,
        config.model_options,
        fetch_weights=not config.start_from,
    )
    if config.start_from:
        load_start(model, config)
    freeze_first(model, config.frozen_share)
    return model
