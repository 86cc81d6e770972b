"""System D's two VGG19 networks (Simonyan and Zisserman, arXiv 1409.1556), layers from torchvision.

Enter: images float32 (B, C, S, S), S at least 32; grey ones are repeated for the three colours.
Leave: scores (B, classes).
"""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.network import flattened_width, repeat_grey
from fer_core.models.pretrained import torchvision_weights

#: Layers of torchvision's VGG19 up to the ReLU of block5_conv4, before the last pool.
_TO_BLOCK5_CONV4 = 36


def _vgg19_features(pretrained: bool) -> nn.Sequential:
    """The sixteen convolutions with their ReLUs and five pools; without the 124 million weights of
    the ImageNet classifier, which neither network uses."""
    from torchvision.models.vgg import cfgs, make_layers

    features = make_layers(cfgs["E"])
    if pretrained:
        weights = torchvision_weights("vgg19")
        kept = {
            name.removeprefix("features."): value
            for name, value in weights.items()
            if name.startswith("features.")
        }
        features.load_state_dict(kept)
        return features
    for layer in features:  # torchvision's own start
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return features


class FrozenVGG19(nn.Module):
    """All sixteen convolutions frozen; from block5_conv4: average pool 2, flatten, 512 → 384 → 96
    → 32 with ReLU, classes."""

    def __init__(self, classes: int, image_size: int = 48, pretrained: bool = True) -> None:
        super().__init__()
        self.features = _vgg19_features(pretrained)[:_TO_BLOCK5_CONV4].requires_grad_(False)
        # kept apart from the features, so that a dry run of both tells the width
        self.pool = nn.AvgPool2d(2)
        self.flattened = flattened_width(
            nn.Sequential(self.features, self.pool), "vgg19_frozen", 3, image_size
        )
        layers: list[nn.Module] = [nn.Flatten()]
        inputs = self.flattened
        for width in (512, 384, 96, 32):
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            inputs = width
        self.classifier = nn.Sequential(*layers, nn.Linear(inputs, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(repeat_grey(images))  # (B, 512, S/16, S/16)
        return self.classifier(self.pool(features))


class FullVGG19(nn.Module):
    """Every layer trained; global average pool over what the fifth pool leaves, classes."""

    def __init__(self, classes: int, image_size: int = 48, pretrained: bool = True) -> None:
        super().__init__()
        self.features = _vgg19_features(pretrained)
        flattened_width(self.features, "vgg19_full", 3, image_size)  # refuses a size too small
        self.classifier = nn.Linear(512, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(repeat_grey(images))  # (B, 512, S/32, S/32)
        return self.classifier(features.mean(dim=(2, 3)))
