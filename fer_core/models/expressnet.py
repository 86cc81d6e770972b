"""ExpressNet, this project's own small residual network for grey 48×48 faces.

Enters: images float32 (B, C, S, S). Leaves: logits (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.recall import Recall


class SqueezeExcitation(nn.Module):
    """Channel gates from the image's own mean (Hu et al., arXiv 1709.01507)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, inner)
        self.excite = nn.Linear(inner, channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        pooled = features.mean(dim=(2, 3))  # (B, C)
        gates = torch.sigmoid(self.excite(torch.relu(self.squeeze(pooled))))
        return features * gates[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with a skip (He et al., arXiv 1512.03385), gated before the sum."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.gate = SqueezeExcitation(outputs)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool: nn.Module = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
            self.skip = nn.Sequential(
                pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        # in place: nothing else needs what was there, and a processor fetches no new memory
        hidden = torch.relu_(self.first_norm(self.first(features)))
        hidden = self.gate(self.second_norm(self.second(hidden)))
        return torch.relu_(hidden.add_(self.skip(features)))


class ExpressNet(nn.Module):
    """Stem at full size, then stages that halve the picture and widen the features.

    widths: channels of each stage; depths: residual blocks of each stage; dropout: before the
    classifier, 0-0.9; pooled: whether the stem halves the picture, so that the first stage sees
    S/2 instead of S pixels; remembered: training faces in its memory (`recall.py`), 0 for none,
    with remembered_codes bytes of each for remembered_numbers of its features.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        widths: tuple[int, ...] = (32, 64, 128),
        depths: tuple[int, ...] = (1, 2, 2),
        dropout: float = 0.2,
        pooled: bool = True,
        remembered: int = 0,
        remembered_codes: int = 0,
        remembered_numbers: int = 0,
    ) -> None:
        super().__init__()
        if len(widths) != len(depths):
            raise ValueError(f"widths and depths must be of one length, got {widths} and {depths}")
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0])
        )
        if pooled:  # before the activation, which has a quarter of the work then, to the same end
            self.stem.append(nn.MaxPool2d(2))
        self.stem.append(nn.ReLU(inplace=True))
        blocks: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(ResidualBlock(inputs, width, stride))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)
        self.recall = None
        if remembered:
            self.recall = Recall(remembered, inputs, classes, remembered_codes, remembered_numbers)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, S, S) → (B, widths[-1]), what the last layer sees."""
        # mean of (B, widths[-1], S/8, S/8), for three stages of which the stem halves the first
        return self.blocks(self.stem(images)).mean(dim=(2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images)
        scores = self.classifier(self.dropout(features))
        return scores if self.recall is None else self.recall(scores, features)
