"""System E, six classes in colour: four double-convolution blocks with two-dimensional dropout.

Enters: images float32 (B, C, S, S), S at least 16 (the report's 224). Leaves: scores (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import flattened_width


class SixClassNetwork(nn.Module):
    """Blocks of [conv k3, BN, ReLU] ×2, max pool 2, dropout2d .2/.3/.4/.5, 32 to 256 wide; global
    average pool; 256 → 128, ReLU, BN, dropout; classes."""

    def __init__(
        self, classes: int, channels: int = 3, image_size: int = 224, dropout: float = 0.5
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for width, dropped in ((32, 0.2), (64, 0.3), (128, 0.4), (256, 0.5)):
            for _ in range(2):
                layers += [
                    nn.Conv2d(inputs, width, 3, padding=1),
                    *(nn.BatchNorm2d(width), nn.ReLU()),
                ]
                inputs = width
            layers += [nn.MaxPool2d(2), nn.Dropout2d(dropped)]
        self.features = nn.Sequential(*layers)
        flattened_width(self.features, "six_class_cnn", channels, image_size)  # refuses tiny ones
        self.classifier = nn.Sequential(
            *(nn.Linear(256, 128), nn.ReLU(), nn.BatchNorm1d(128), nn.Dropout(dropout)),
            nn.Linear(128, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images)  # (B, 256, S/16, S/16)
        return self.classifier(features.mean(dim=(2, 3)))
