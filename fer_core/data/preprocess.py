"""From stored uint8 images to a network's input. Training and prediction call this same function.

A checkpoint carries its `Preprocessing`, so a model always sees what it was trained on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from fer_core.data.tones import luma

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """image_size: side S of the square input in pixels; channels: C, 1 grey or 3 colour;
    mean, std: one value for all, C values, or C·S·S values (every pixel its own, in the order
    channel, row, column), on the scale 0 to 1."""

    image_size: int = 48
    channels: int = 1
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) == 1:
                values = values * self.channels
            every_pixel = self.channels * self.image_size**2
            if len(values) not in (self.channels, every_pixel):
                raise ValueError(
                    f"{name} must have {self.channels} values, or one for each of the "
                    f"{every_pixel} pixels, got {len(values)}"
                )
            object.__setattr__(self, name, values)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0, got {min(self.std)}")
        # not a field: a tuple of thousands of values is turned into a tensor once per device
        object.__setattr__(self, "_tensors", {})

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
            unit = (unit * luma(unit.device)).sum(dim=1, keepdim=True)
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
        return (unit - self._values("mean", unit.device)) / self._values("std", unit.device)

    def inverse(self, normalised: torch.Tensor) -> torch.Tensor:
        """float32 (N, channels, S, S) of network input → the same shape in 0..1, to view it."""
        device = normalised.device
        return normalised * self._values("std", device) + self._values("mean", device)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (N, H, W, C) → network input float32 (N, channels, S, S), without augmentation."""
        return self.normalise(self.to_unit(images))

    def _values(self, name: str, device: torch.device) -> torch.Tensor:
        """float32 (1, channels, 1 or S, 1 or S)."""
        if (name, device) not in self._tensors:
            values = torch.tensor(getattr(self, name), device=device)
            side = 1 if len(values) == self.channels else self.image_size
            self._tensors[name, device] = values.view(1, self.channels, side, side)
        return self._tensors[name, device]


class PixelScaler:
    """System A's scaler: every pixel of the training images to mean 0 and deviation `target_std`.

    Fitted once, on training images only. A pixel that is the same in all of them is only centred.
    """

    def __init__(self, target_std: float = 0.25) -> None:
        if not (math.isfinite(target_std) and target_std > 0):
            raise ValueError(f"target_std must be above 0, got {target_std}; try 0.25")
        self.target_std = target_std
        self._fitted: Preprocessing | None = None

    def fit(
        self, images: np.ndarray, image_size: int | None = None, channels: int | None = None
    ) -> PixelScaler:
        """Measure mean and deviation of every pixel, as a network sees it; returns itself.

        images: uint8 (N, H, W, C), read in blocks. image_size, channels: of the network's input;
        None keeps those of square images. Raises ValueError without images or when fitted before.
        """
        if self._fitted:
            raise ValueError(
                "the scaler has been fitted already, and a second fit would change what the first "
                "one scaled; make a new PixelScaler()"
            )
        if not len(images):
            raise ValueError("the scaler needs at least one image to be fitted, got none")
        height, width = images.shape[1:3]
        if image_size is None and height != width:
            raise ValueError(f"images must be square, got {width} x {height}; give an image_size")
        base = Preprocessing(image_size or height, channels or images.shape[3], (0.0,), (1.0,))
        mean = sum(block.sum(0) for block in _unit_blocks(base, images)) / len(images)  # (C, S, S)
        squares = sum(((block - mean) ** 2).sum(0) for block in _unit_blocks(base, images))
        deviation = (squares / len(images)).sqrt()
        moving = deviation > _STILL
        divisor = torch.where(moving, deviation / self.target_std, torch.ones_like(deviation))
        self._fitted = Preprocessing(base.image_size, base.channels, _short(mean), _short(divisor))
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, C) → float32 (N, C, S, S), scaled."""
        return self.preprocessing()(torch.from_numpy(np.array(images))).numpy()

    def inverse(self, scaled: np.ndarray) -> np.ndarray:
        """float32 (N, C, S, S), scaled → the same shape in 0..1: what `transform` was given."""
        return self.preprocessing().inverse(torch.from_numpy(np.asarray(scaled))).numpy()

    def preprocessing(
        self, image_size: int | None = None, channels: int | None = None
    ) -> Preprocessing:
        """What a checkpoint carries. Raises ValueError before `fit`, or for another size or number
        of channels than were fitted (grey values do for colour input)."""
        if self._fitted is None:
            raise ValueError("the scaler must be fitted to training images first: call fit(images)")
        fitted = self._fitted
        if channels == 3 and fitted.channels == 1:
            values = (fitted.mean * 3, fitted.std * 3)
            fitted = Preprocessing(fitted.image_size, 3, *values)
        wanted = (image_size or fitted.image_size, channels or fitted.channels)
        if wanted != (fitted.image_size, fitted.channels):
            raise ValueError(
                f"the scaler was fitted to {fitted.image_size} pixels and {fitted.channels} "
                f"channels, got {wanted[0]} and {wanted[1]}; name them in fit(images, image_size, "
                "channels)"
            )
        return fitted


#: A pixel whose deviation, on the scale 0 to 1, is not above this is the same in all images.
_STILL = 1e-6


def _unit_blocks(base: Preprocessing, images: np.ndarray) -> Iterator[torch.Tensor]:
    """float64 (B, C, S, S) in 0..1, block after block."""
    for start in range(0, len(images), 1024):
        block = np.array(images[start : start + 1024])  # a memory map is read-only
        yield base.to_unit(torch.from_numpy(block)).double()


def _short(values: torch.Tensor) -> tuple[float, ...]:
    """Seven digits: what float32 holds, and short in a checkpoint's header."""
    return tuple(float(f"{value:.7g}") for value in values.flatten().tolist())
