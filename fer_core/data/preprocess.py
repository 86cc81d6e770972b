"""From stored uint8 images to a network's input. Training and prediction call this same function.

A checkpoint carries its `Preprocessing`, so a model always sees what it was trained on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as functional

#: Luma weights of ITU-R BT.601, the ones Pillow's "L" conversion uses.
_LUMA = (0.299, 0.587, 0.114)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """image_size: side of the square input in pixels; channels: 1 grey or 3 colour;
    mean, std: per channel, on the scale 0 to 1."""

    image_size: int = 48
    channels: int = 1
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) == 1:
                values = values * self.channels
            if len(values) != self.channels:
                raise ValueError(f"{name} must have {self.channels} values, got {len(values)}")
            object.__setattr__(self, name, values)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0, got {self.std}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocessing:
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})

    def to_unit(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (N, H, W, C) → float32 (N, channels, image_size, image_size) in 0..1.

        This is where augmentation comes in, between the pixels and their normalisation.
        """
        unit = images.permute(0, 3, 1, 2).to(torch.float32).div_(255)  # (N, C, H, W)
        if unit.shape[1] == 3 and self.channels == 1:
            luma = torch.tensor(_LUMA, device=unit.device).view(1, 3, 1, 1)
            unit = (unit * luma).sum(dim=1, keepdim=True)
        elif unit.shape[1] == 1 and self.channels == 3:
            unit = unit.expand(-1, 3, -1, -1)
        size = (self.image_size, self.image_size)
        if unit.shape[-2:] != size:
            unit = functional.interpolate(
                unit, size=size, mode="bilinear", align_corners=False, antialias=True
            )
        return unit.contiguous()

    def normalise(self, unit: torch.Tensor) -> torch.Tensor:
        """float32 (N, channels, S, S) in 0..1 → the same shape, mean taken away, divided by std."""
        mean = torch.tensor(self.mean, device=unit.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=unit.device).view(1, -1, 1, 1)
        return (unit - mean) / std

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (N, H, W, C) → network input float32 (N, channels, S, S), without augmentation."""
        return self.normalise(self.to_unit(images))
