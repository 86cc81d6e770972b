"""Changed copies of whole image arrays, made once and stored: mirrored, turned, cropped, tenfold.

uint8 (N, H, W, C) in and out, worked through in blocks so that a large set stays within memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as functional

from fer_core.data.augment import augment
from fer_core.data.policies import AugmentPolicy

#: Rows per block: small enough for the float copies to stay in a few dozen megabytes at 48 x 48.
_BLOCK_VALUES = 2048 * 48 * 48

#: System A's operations with a strength; the report names them and gives none, these are ours.
_BRIGHTNESS = AugmentPolicy(brightness=0.2)
_CONTRAST = AugmentPolicy(contrast=0.3)
_NOISE = AugmentPolicy(noise_std=0.1)
_TRANSLATION = AugmentPolicy(shift_fraction=0.1)

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def mirrored(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C), left and right exchanged."""
    return np.ascontiguousarray(images[:, :, ::-1])


def rotated(images: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    """uint8 (N, H, W, C), each turned by an angle of its own in ±degrees, borders mirrored."""
    policy = AugmentPolicy(rotation_degrees=degrees)
    copies = np.empty(images.shape, dtype=np.uint8)
    for rows in blocks(images):
        copies[rows] = _augmented(images[rows], policy, random)
    return copies


def ten_crops(images: np.ndarray, side: int) -> np.ndarray:
    """uint8 (N * 10, H, W, C): per image the four corners, the centre and their mirror images,
    each `side` pixels wide and high, scaled back to the image's size."""
    count, height, width, channels = images.shape
    low, right, middle_y, middle_x = (
        height - side,
        width - side,
        (height - side) // 2,
        (width - side) // 2,
    )
    corners = ((0, 0), (0, right), (low, 0), (low, right), (middle_y, middle_x))
    copies = np.empty((count, 10, height, width, channels), dtype=np.uint8)
    for rows in blocks(images):
        for place, (top, left) in enumerate(corners):
            crop = _unit(images[rows, top : top + side, left : left + side])
            whole = functional.interpolate(
                crop, size=(height, width), mode="bilinear", align_corners=False, antialias=True
            )
            copies[rows, place] = _pixels(whole)
            copies[rows, place + 5] = copies[rows, place][:, :, ::-1]
    return copies.reshape(count * 10, height, width, channels)


def tenfold(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """uint8 (N, 10, H, W, C): system A's ten variants of each square image.

    The original; one each of mirror image, turn by 90, 180 or 270 degrees, brightness, contrast,
    Gaussian noise and translation; then three of these seven, drawn without replacement, each
    changed once more by a random one of the six operations.
    """
    count = len(images)
    result = np.empty((count, 10, *images.shape[1:]), dtype=np.uint8)
    result[:, 0] = images
    for place, operation in enumerate(OPERATIONS.values(), start=1):
        result[:, place] = operation(images, random)
    chosen = random.permuted(np.tile(np.arange(7), (count, 1)), axis=1)[:, :3]  # (N, 3)
    operations = random.integers(len(OPERATIONS), size=(count, 3))
    rows = np.arange(count)[:, None]
    again = result[rows, chosen]  # (N, 3, H, W, C)
    for number, operation in enumerate(OPERATIONS.values()):
        hit = operations == number  # (N, 3)
        if hit.any():
            again[hit] = operation(again[hit], random)
    result[:, 7:] = again
    return result


def blocks(images: np.ndarray) -> Iterator[slice]:
    """Row ranges of `images`, one after the other, each of a bounded number of pixels."""
    size = max(1, _BLOCK_VALUES // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), size):
        yield slice(start, min(start + size, len(images)))


def _quarter_turns(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    turns = random.integers(1, 4, size=len(images))
    result = np.empty_like(images)
    for number in (1, 2, 3):
        hit = turns == number
        result[hit] = np.rot90(images[hit], number, axes=(1, 2))
    return result


def _by_policy(policy: AugmentPolicy) -> Draw:
    return lambda images, random: _augmented(images, policy, random)


#: System A's six operations, in the report's order.
OPERATIONS: dict[str, Draw] = {
    "mirror": lambda images, _: images[:, :, ::-1],
    "quarter turns": _quarter_turns,
    "brightness": _by_policy(_BRIGHTNESS),
    "contrast": _by_policy(_CONTRAST),
    "noise": _by_policy(_NOISE),
    "translation": _by_policy(_TRANSLATION),
}


def _augmented(
    images: np.ndarray, policy: AugmentPolicy, random: np.random.Generator
) -> np.ndarray:
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    return _pixels(augment(_unit(images), policy, generator))


def _unit(images: np.ndarray) -> torch.Tensor:
    """uint8 (N, H, W, C) → float32 (N, C, H, W) in 0..1."""
    pixels = torch.from_numpy(np.ascontiguousarray(images))
    return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255)


def _pixels(unit: torch.Tensor) -> np.ndarray:
    """float32 (N, C, H, W) in 0..1 → uint8 (N, H, W, C)."""
    return unit.mul(255).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
