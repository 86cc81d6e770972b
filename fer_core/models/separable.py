"""ExpressNet's smallest form: depthwise-separable residual blocks for grey 48×48 faces.

A 3×3 convolution of every channel by itself and a 1×1 convolution across channels (Howard et al.,
arXiv 1704.04861) take a ninth of the weights of a full 3×3 one, which lets a network of 60 thousand
weights be ten blocks deep. Enters: images float32 (B, C, S, S). Leaves: logits (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.expressnet import SqueezeExcitation


class SeparableBlock(nn.Module):
    """1×1 up to `expansion` times the width, 3×3 per channel, gate, 1×1 down; a skip where shapes
    agree (Sandler et al., arXiv 1801.04381). expansion 1 leaves the first 1×1 out."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, gated: bool, kernel: int = 3
    ) -> None:
        super().__init__()
        inner = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [*_conv(inputs, inner, 1), nn.ReLU()]
        layers += [*_conv(inner, inner, kernel, stride, groups=inner), nn.ReLU()]
        if gated:
            layers.append(SqueezeExcitation(inner))
        layers += _conv(inner, outputs, 1)
        self.layers = nn.Sequential(*layers)
        self.has_skip = stride == 1 and inputs == outputs

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        found = self.layers(features)
        return features + found if self.has_skip else found


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class SeparableExpressNet(nn.Module):
    """A stem that halves the picture, then stages of separable blocks, each halving it again but
    for the first.

    widths: channels of each stage; depths: blocks of each stage; head: width of the last 1×1
    convolution before the mean; dropout: before the classifier, 0-0.9.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        widths: tuple[int, ...] = (16, 32, 48),
        depths: tuple[int, ...] = (2, 3, 3),
        expansion: int = 2,
        head: int = 128,
        gated: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if len(widths) != len(depths):
            raise ValueError(f"widths and depths must be of one length, got {widths} and {depths}")
        self.stem = nn.Sequential(*_conv(channels, widths[0], 3, 2), nn.ReLU())
        blocks: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(SeparableBlock(inputs, width, stride, expansion, gated))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(*_conv(inputs, head, 1), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(head, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.head(self.blocks(self.stem(images)))  # (B, head, S/8, S/8)
        return self.classifier(self.dropout(features.mean(dim=(2, 3))))
