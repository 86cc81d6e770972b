"""Mixup and cutmix on a finished batch: images blended or patched together, their targets with
them.

Both are torchvision's; they draw from torch's global generator, which every epoch seeds anew.
"""

from __future__ import annotations

import torch
from torchvision.transforms.v2 import CutMix, MixUp

from fer_core.runs.config import RunConfig


class Mixing:
    """Mixes `mix_probability` of the batches; where both kinds are on, each takes half of them.

    mixup (Zhang et al., arXiv 1710.09412) blends each image with its neighbour in the batch, cutmix
    (Yun et al., arXiv 1905.04899) puts a rectangle of the neighbour into it.
    """

    def __init__(self, config: RunConfig, classes: int) -> None:
        self.probability = config.mix_probability
        kinds = ((MixUp, config.mixup_alpha), (CutMix, config.cutmix_alpha))
        self.kinds = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha]

    def __call__(
        self, images: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """images: float32 (B, C, S, S); targets: int64 (B,) or float32 (B, classes). A mixed batch
        leaves with targets float32 (B, classes)."""
        if not self.kinds or torch.rand(()).item() >= self.probability:
            return images, targets
        kind = self.kinds[int(torch.randint(len(self.kinds), ()))]
        return kind(images, targets)
