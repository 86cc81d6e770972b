"""System D, five approaches side by side: the multilayer perceptron and the custom network.

Enter: images float32 (B, C, S, S). Leave: scores (B, classes). Their published parameter counts are
those of 48 px, the perceptron's in grey, the custom network's in colour.
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import flattened_width


class MultilayerPerceptron(nn.Module):
    """Pixels → 512 → 256 → 128 → 64 → 16 → classes, ReLU, dropout after the first two."""

    def __init__(
        self, classes: int, channels: int = 1, image_size: int = 48, dropout: float = 0.2
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        inputs = channels * image_size**2
        for place, width in enumerate((512, 256, 128, 64, 16)):
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            if place < 2:
                layers.append(nn.Dropout(dropout))
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class CustomNetwork(nn.Module):
    """conv 256 k3, conv 128 k2, conv 64 k3 without padding or activation, each pooled, then
    1,024 (at 48 px) → 128 → 64 → 16 → classes."""

    def __init__(
        self, classes: int, channels: int = 3, image_size: int = 48, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 256, 3), nn.MaxPool2d(2), nn.Dropout(dropout)),
            *(nn.Conv2d(256, 128, 2), nn.AvgPool2d(2), nn.Dropout(dropout)),
            *(nn.Conv2d(128, 64, 3), nn.AvgPool2d(2), nn.Dropout(dropout)),
        )
        self.flattened = flattened_width(self.features, "custom_cnn", channels, image_size)
        self.classifier = nn.Sequential(
            *(nn.Flatten(), nn.Linear(self.flattened, 128), nn.ReLU(), nn.BatchNorm1d(128)),
            *(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 16), nn.ReLU()),
            nn.Linear(16, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images))
