"""What a network costs: `describe_model` counts its parameters and the operations of one image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

#: Operations per value of a normalisation: with stored statistics two multiply-adds (fvcore counts
#: the same), with the image's own the sums for mean and variance besides.
_STORED, _OWN = 4, 8


def _norm_operations(per_value: int) -> Callable[..., int]:
    def count(images: torch.Size, *rest: Any, **named: Any) -> int:
        return per_value * math.prod(images)

    return count


_aten = torch.ops.aten
#: Besides convolutions, matrix products and attention, which torch's counter knows.
_NORMALISATIONS = {
    _aten.native_batch_norm: _norm_operations(_STORED),
    _aten.cudnn_batch_norm: _norm_operations(_STORED),
    _aten._native_batch_norm_legit_no_training: _norm_operations(_STORED),
    _aten.native_layer_norm: _norm_operations(_OWN),
    _aten.native_group_norm: _norm_operations(_OWN),
}


def _bag_operations(table: torch.Size, rows: torch.Size, *rest: Any, **named: Any) -> int:
    """Sums of the table's rows: a memory's looking up (`recall.py`)."""
    return math.prod(rows) * table[1]


def _attention_operations(
    query: torch.Size, key: torch.Size, value: torch.Size, *rest: Any, **named: Any
) -> int:
    """Fused attention on a processor, which not every torch from 2.11 on counts by itself."""
    return sdpa_flop_count(query, key, value)


_COUNTED = {
    **_NORMALISATIONS,
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention_operations,
    _aten._embedding_bag: _bag_operations,
    _aten._embedding_bag_forward_only: _bag_operations,
}


@dataclass(frozen=True)
class ModelFacts:
    """parameters: all of them; trainable: those a run changes; keras_parameters: see the function;
    gflops: of one forward pass of one image, see `count_operations`."""

    name: str
    parameters: int
    trainable: int
    keras_parameters: int
    gflops: float


def describe_model(model: nn.Module, name: str, channels: int, image_size: int) -> ModelFacts:
    """Counts of a built network, from one forward pass of one image on its own device."""
    parameters = list(model.parameters())
    image = torch.zeros(1, channels, image_size, image_size, device=parameters[0].device)
    return ModelFacts(
        name=name,
        parameters=sum(weights.numel() for weights in parameters),
        trainable=sum(weights.numel() for weights in parameters if weights.requires_grad),
        keras_parameters=keras_parameters(model),
        gflops=count_operations(model, image) / 1e9,
    )


def count_operations(model: nn.Module, images: torch.Tensor) -> int:
    """Operations of one forward pass over `images`, a multiply-add counted as two.

    Convolutions, matrix products, attention, normalisations and the sums of a memory are counted;
    activations, poolings and other sums are not, as in fvcore, whose count (a multiply-add as one)
    is half of this one.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    counter = FlopCounterMode(display=False, custom_mapping=_COUNTED)
    with torch.no_grad(), counter:
        model(images)
    for module, training in modes.items():  # a frozen layer may be set to evaluate by itself
        module.training = training
    return counter.get_total_flops()


def keras_parameters(model: nn.Module) -> int:
    """All parameters plus the running means and variances of normalisation layers.

    Keras calls those statistics non-trainable parameters, PyTorch calls them buffers. System D was
    reported with Keras: its custom network has 353,031 parameters here and 353,287 there.
    """
    statistics = sum(
        buffer.numel()
        for name, buffer in model.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    )
    return sum(weights.numel() for weights in model.parameters()) + statistics
