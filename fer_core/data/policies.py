"""Augmentation policies: how strong each operation is, its limits, and the ready-made ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class AugmentPolicy:
    """Strengths of every operation; 0 turns one off. Each image draws its own values uniformly.

    flip_probability: chance of a mirror image, 0-1. rotation_degrees: ± range, 0-180.
    shift_fraction: ± share of the side, in x and y, 0-0.5. zoom_fraction: ± change of scale, 0-0.5.
    shear_degrees: ± horizontal shear, 0-45. crop_fraction: largest share of the area that is cut
    away before the rest fills the frame, 0-0.9; sides at most 4 to 3 (Inception's random crop,
    Szegedy et al., arXiv 1409.4842). surroundings_probability: chance that what lies beyond the
    picture's edge, and a soft margin of the picture, show something else than its mirror image,
    0-1; a face that was found in a photograph has such a frame. brightness: ± added share of full
    scale, 0-1. contrast: ± change of the factor around the image's mean, 0-1. saturation: ± change
    of the factor around grey, 0-1, colour images only. autocontrast_probability,
    equalise_probability: chance that an image's tones are stretched to full scale, or spread
    evenly, 0-1. noise_std: highest standard deviation of Gaussian noise, share of full scale,
    0-0.5. blur_pixels: highest standard deviation of a Gaussian blur, 0-3. erase_probability:
    chance that a rectangle is overwritten, 0-1 (Random Erasing, Zhong et al., arXiv 1708.04896).
    erase_fraction: largest erased share of the area, 0-0.5.
    """

    flip_probability: float = 0.0
    rotation_degrees: float = 0.0
    shift_fraction: float = 0.0
    zoom_fraction: float = 0.0
    shear_degrees: float = 0.0
    crop_fraction: float = 0.0
    surroundings_probability: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    autocontrast_probability: float = 0.0
    equalise_probability: float = 0.0
    noise_std: float = 0.0
    blur_pixels: float = 0.0
    erase_probability: float = 0.0
    erase_fraction: float = 0.2

    def __post_init__(self) -> None:
        for item in fields(self):
            value, limit = getattr(self, item.name), LIMITS[item.name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{item.name} must be a number, got {value!r}")
            if not 0 <= value <= limit:  # nor NaN
                raise ValueError(
                    f"{item.name} must be 0 to {limit}, got {value}; try {limit / 4:g}"
                )
            object.__setattr__(self, item.name, float(value))

    def to_dict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AugmentPolicy:
        unknown = set(values) - set(LIMITS)
        if unknown:
            raise ValueError(f"unknown augmentation {sorted(unknown)}; known: {sorted(LIMITS)}")
        return cls(**values)


#: The largest allowed strength of each operation; the page's sliders end here.
LIMITS: dict[str, float] = {
    "flip_probability": 1.0,
    "rotation_degrees": 180.0,
    "shift_fraction": 0.5,
    "zoom_fraction": 0.5,
    "shear_degrees": 45.0,
    "crop_fraction": 0.9,
    "surroundings_probability": 1.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "autocontrast_probability": 1.0,
    "equalise_probability": 1.0,
    "noise_std": 0.5,
    "blur_pixels": 3.0,
    "erase_probability": 1.0,
    "erase_fraction": 0.5,
}

POLICIES: dict[str, AugmentPolicy] = {
    "none": AugmentPolicy(),
    "light": AugmentPolicy(flip_probability=0.5, rotation_degrees=8, shift_fraction=0.05),
    "standard": AugmentPolicy(
        flip_probability=0.5,
        rotation_degrees=15,
        shift_fraction=0.08,
        zoom_fraction=0.15,
        brightness=0.15,
        contrast=0.2,
        erase_probability=0.25,
    ),
    "strong": AugmentPolicy(
        flip_probability=0.5,
        rotation_degrees=20,
        shift_fraction=0.12,
        zoom_fraction=0.2,
        shear_degrees=8,
        brightness=0.25,
        contrast=0.35,
        noise_std=0.06,
        blur_pixels=0.8,
        erase_probability=0.5,
        erase_fraction=0.3,
    ),
}
