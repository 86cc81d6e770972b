"""System A, two-phase augmentation: the template network and the final one.

Enter: images float32 (B, C, S, S). Leave: scores (B, classes). The report's final softmax is not a
layer here: the loss takes it (one_hot_nll on softmax(scores)), and so does prediction.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from fer_core.models.network import flattened_width


class TwoPhaseTemplate(nn.Module):
    """conv 16 k5, conv 32 k3, each with ReLU and max pool, then 256 and the classes."""

    def __init__(self, classes: int, channels: int = 1, image_size: int = 48) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        )
        # 32·12·12 at 48 px
        self.flattened = flattened_width(self.features, "two_phase_template", channels, image_size)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(self.flattened, 256), nn.ReLU(), nn.Linear(256, classes)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images))


class TwoPhaseNetwork(nn.Module):
    """Two convolutional blocks, a residual one, and three fully connected layers, the second with
    a sigmoid. dropout: after each convolutional block; dense_dropout: after each dense layer."""

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        image_size: int = 48,
        dropout: float = 0.25,
        dense_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(channels, 32, 5, padding=2),
            *(nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(dropout)),
        )
        self.second = nn.Sequential(
            nn.Conv2d(32, 32, 3, padding=1),
            *(nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(dropout)),
        )
        self.residual = nn.Sequential(
            *(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32)),
        )
        before = nn.Sequential(self.first, self.second)
        self.flattened = flattened_width(before, "two_phase", channels, image_size)
        self.classifier = nn.Sequential(
            *(nn.Flatten(), nn.Linear(self.flattened, 256), nn.BatchNorm1d(256)),
            *(nn.LeakyReLU(), nn.Dropout(dense_dropout)),
            *(nn.Linear(256, 100), nn.Sigmoid(), nn.Dropout(dense_dropout)),
            nn.Linear(100, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.second(self.first(images))  # (B, 32, S/4, S/4)
        features = functional.relu(self.residual(features) + features)
        return self.classifier(features)
