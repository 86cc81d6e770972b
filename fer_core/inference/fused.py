"""A checkpoint's network made faster for prediction, with the same answers.

Batch norm goes into the convolution before it, and the weights lie channels-last in memory.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError

from fer_core.runs.checkpoint import Checkpoint

#: Probabilities of the fused network may differ from the checkpoint's by this much, not more.
TOLERANCE = 1e-4

#: uint8 (N, H, W, C) → float32 (N, classes)
Probabilities = Callable[[np.ndarray], np.ndarray]


def fused_probabilities(checkpoint: Checkpoint) -> Probabilities:
    """What `checkpoint.probabilities` gives, sooner; that function itself where it cannot be.

    A network whose forward pass depends on values cannot be rewritten, one whose answers differ by
    more than TOLERANCE must not be; both are kept as they are.
    """
    network = fused_network(checkpoint.model)
    if network is None:
        return checkpoint.probabilities
    preprocessing, temperature = checkpoint.preprocessing, checkpoint.temperature
    device = next(checkpoint.model.parameters()).device

    @torch.inference_mode()
    def probabilities(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        prepared = preprocessing(pixels).contiguous(memory_format=torch.channels_last)
        logits = network(prepared).float() / temperature  # (N, classes)
        return logits.softmax(dim=1).cpu().numpy()

    size = preprocessing.image_size
    shape = (2, size, size, preprocessing.channels)
    trial = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    difference = np.abs(probabilities(trial) - checkpoint.probabilities(trial)).max()
    return probabilities if difference <= TOLERANCE else checkpoint.probabilities


def fused_network(network: nn.Module) -> nn.Module | None:
    """A copy with batch norm folded into convolutions, channels-last; None where it cannot be."""
    if not any(isinstance(part, nn.Conv2d) for part in network.modules()):
        return None
    try:
        fused = fuse(network)  # a copy
    except (TraceError, TypeError, NotImplementedError, RuntimeError, AttributeError):
        return None  # its forward pass branches on values; tracing names it in many ways
    return fused.eval().requires_grad_(False).to(memory_format=torch.channels_last)
