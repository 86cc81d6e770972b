"""System C, the competition's baseline: plain 3×3 convolutions and a long fully connected tail.

Enters: images float32 (B, C, S, S), S at least 8. Leaves: scores (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import flattened_width


class CompetitionBaseline(nn.Module):
    """Convolutions 1→8→32→64, 64→128→128, 128→256→256 with a max pool after each group, then
    9,216 (at 48 px) → 2304 → 1152 → 576 → 288 → 144 → classes, ReLU between."""

    def __init__(self, classes: int, channels: int = 1, image_size: int = 48) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for group in ((8, 32, 64), (128, 128), (256, 256)):
            for width in group:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.flattened = flattened_width(
            self.features, "competition_baseline", channels, image_size
        )
        tail: list[nn.Module] = [nn.Flatten()]
        inputs = self.flattened
        for width in (2304, 1152, 576, 288, 144):
            tail += [nn.Linear(inputs, width), nn.ReLU()]
            inputs = width
        tail.append(nn.Linear(inputs, classes))
        self.classifier = nn.Sequential(*tail)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images))
