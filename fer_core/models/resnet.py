"""ResNet-18 (He et al., arXiv 1512.03385) from torchvision, system E's improvement.

Enters: images float32 (B, C, S, S); grey ones are repeated for the three colours.
Leaves: scores (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import repeat_grey
from fer_core.models.pretrained import torchvision_weights


class ResNet18(nn.Module):
    """torchvision's network as it is, with a last layer of its own."""

    def __init__(self, classes: int, pretrained: bool = True) -> None:
        super().__init__()
        from torchvision.models import resnet18

        self.network = resnet18()
        if pretrained:
            self.network.load_state_dict(torchvision_weights("resnet18"))
        self.network.fc = nn.Linear(self.network.fc.in_features, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(repeat_grey(images))
