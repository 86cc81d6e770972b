"""System B, class-targeted augmentation: PReLU convolutions with a 1×1 side branch.

Enters: images float32 (B, C, S, S). Leaves: scores (B, classes) after the last layer's own tanh,
sigmoid or softmax: the report takes the cross-entropy of those, and so does the loss here.
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import flattened_width

OUTPUTS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softmax": nn.Softmax,
}


class _WithBranch(nn.Module):
    """norm(features) + conv 1×1(features)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Conv2d(width, width, 1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.norm(features) + self.branch(features)


class ClassTargetedNetwork(nn.Module):
    """conv 44 k5, conv 40 k5, side branch, conv 36 k3, then 1,764 (at 48 px) → hidden → classes.

    hidden: width of the first fully connected layer. output: what the last layer does, a key of
    `OUTPUTS`. All three bound the scores, so the cross-entropy has a floor above 0: for tanh and
    7 classes log(1 + 6·e⁻²) ≈ 0.59.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        image_size: int = 48,
        hidden: int = 70,
        output: str = "tanh",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 44, 5, padding=1), nn.PReLU(), nn.MaxPool2d(3, 2)),
            nn.BatchNorm2d(44),
            *(nn.Conv2d(44, 40, 5, padding=1), nn.PReLU(), nn.MaxPool2d(3, 2)),
            _WithBranch(40),
            *(nn.Conv2d(40, 36, 3, padding=1), nn.PReLU(), nn.AvgPool2d(3, 1)),
            nn.BatchNorm2d(36),
        )
        self.flattened = flattened_width(self.features, "class_targeted", channels, image_size)
        self.classifier = nn.Sequential(
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(self.flattened, hidden), nn.ELU()),
            nn.Linear(hidden, classes),
        )
        self.output = nn.Softmax(dim=1) if output == "softmax" else OUTPUTS[output]()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.output(self.classifier(self.features(images)))
