"""A checkpoint's network made faster for prediction, with the same answers.

Batch norm goes into the convolution before it, and the weights lie channels-last in memory.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fer_core.runs.checkpoint import Checkpoint, finite

#: Probabilities of the fused network may differ from the checkpoint's by this much, not more.
TOLERANCE = 1e-4

#: uint8 (N, H, W, C) → float32 (N, classes)
Probabilities = Callable[[np.ndarray], np.ndarray]


def fused_probabilities(checkpoint: Checkpoint) -> Probabilities:
    """What `checkpoint.probabilities` gives, sooner; that function itself where it cannot be.

    A network without convolutions has nothing to gain, one whose answers differ by more than
    TOLERANCE must not be replaced; both are kept as they are. CheckpointError where the checkpoint
    gives no numbers.
    """
    preprocessing, temperature = checkpoint.preprocessing, checkpoint.temperature
    device = next(checkpoint.model.parameters()).device
    size = preprocessing.image_size
    shape = (2, size, size, preprocessing.channels)
    trial = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    network = fused_network(checkpoint.model, preprocessing(torch.from_numpy(trial).to(device)))
    if network is None:
        return checkpoint.probabilities

    @torch.inference_mode()
    def probabilities(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        prepared = preprocessing(pixels).contiguous(memory_format=torch.channels_last)
        logits = network(prepared).float() / temperature  # (N, classes)
        return finite(logits.softmax(dim=1).cpu().numpy(), checkpoint.folder)

    difference = np.abs(probabilities(trial) - checkpoint.probabilities(trial)).max()
    return probabilities if difference <= TOLERANCE else checkpoint.probabilities


def fused_network(network: nn.Module, images: torch.Tensor) -> nn.Module | None:
    """A copy with batch norm folded into convolutions, channels-last; None without convolutions.

    images: float32 (B, C, S, S), to see which convolution feeds which batch norm. The network is
    watched while it runs; torch.fx would trace it instead, for which it changes every module of the
    process for a moment, and other visitors' predictions with it.
    """
    fused = copy.deepcopy(network).eval().requires_grad_(False)
    if not any(isinstance(part, nn.Conv2d) for part in fused.modules()):
        return None
    for convolution, norm in _fed_by(fused, images):
        whole = fuse_conv_bn_eval(convolution, norm)
        convolution.weight, convolution.bias = whole.weight, whole.bias
        _replace(fused, norm, nn.Identity())
    return fused.requires_grad_(False).to(memory_format=torch.channels_last)


class _Uses(TorchDispatchMode):
    """How many operations took each tensor, by its id; in this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[int] = Counter()

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        taken = tree_leaves((args, kwargs or {}))
        self.count.update(id(value) for value in taken if isinstance(value, torch.Tensor))
        return operation(*args, **(kwargs or {}))


@torch.no_grad()
def _fed_by(network: nn.Module, images: torch.Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution with the batch norm that alone takes its output; both are met only once."""
    made: dict[int, nn.Conv2d] = {}
    kept: list[torch.Tensor] = []  # alive, so that no other tensor gets the id of one of them
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d, int]] = []
    met: Counter[nn.Module] = Counter()
    uses = _Uses()

    def after(part: nn.Module, taken: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        met[part] += 1
        if isinstance(part, nn.Conv2d):
            made[id(output)] = part
            kept.append(output)
            uses.count[id(output)] = 0  # those of a tensor that is gone and had the same id
        elif taken and id(taken[0]) in made:
            pairs.append((made[id(taken[0])], part, id(taken[0])))

    # the very classes: timm's kinds of batch norm hold an activation, too
    parts = [part for part in network.modules() if type(part) in (nn.Conv2d, nn.BatchNorm2d)]
    hooks = [part.register_forward_hook(after) for part in parts]
    try:
        with uses:
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [
        (convolution, norm)
        for convolution, norm, output in pairs
        if met[convolution] == met[norm] == uses.count[output] == 1 and norm.track_running_stats
    ]


def _replace(network: nn.Module, part: nn.Module, other: nn.Module) -> None:
    for parent in network.modules():
        for name, child in parent.named_children():
            if child is part:
                setattr(parent, name, other)
