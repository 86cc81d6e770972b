"""Tone operations on batches, each image by itself: autocontrast, equalise, saturation.

float32 (B, C, H, W) in 0..1, in and out; nothing here draws a random value.
"""

from __future__ import annotations

import functools

import torch

#: Luma weights of ITU-R BT.601, the ones Pillow's "L" conversion uses.
LUMA = (0.299, 0.587, 0.114)
_LEVELS = 256


@functools.cache
def luma(device: torch.device) -> torch.Tensor:
    """float32 (1, 3, 1, 1) weights, made once on each device: a copy for every batch would wait."""
    return torch.tensor(LUMA, device=device).view(1, 3, 1, 1)


def autocontrast(images: torch.Tensor) -> torch.Tensor:
    """Every channel's darkest value to 0 and its brightest to 1; a channel of one value stays."""
    low = images.amin(dim=(2, 3), keepdim=True)
    spread = images.amax(dim=(2, 3), keepdim=True) - low
    flat = spread <= 0
    stretched = (images - low) / torch.where(flat, torch.ones_like(spread), spread)
    return torch.where(flat, images, stretched)


def equalise(images: torch.Tensor) -> torch.Tensor:
    """Every channel's 256 levels about equally often, as Pillow's `ImageOps.equalize` does it."""
    count, channels, height, width = images.shape
    levels = images.mul(_LEVELS - 1).round().long().reshape(count * channels, -1)  # (B*C, H*W)
    rows = torch.arange(len(levels), device=images.device).view(-1, 1)
    places = (levels + rows * _LEVELS).flatten()
    # no bincount: on a GPU it waits for the largest place
    histogram = levels.new_zeros(len(levels) * _LEVELS)
    histogram = histogram.scatter_add_(0, places, torch.ones_like(places)).view(-1, _LEVELS)
    brightest = histogram.gather(1, levels.amax(dim=1, keepdim=True))  # (B*C, 1)
    step = (height * width - brightest) // (_LEVELS - 1)
    below = histogram.cumsum(1) - histogram
    table = ((below + step // 2) // step.clamp_min(1)).clamp_max(_LEVELS - 1)  # (B*C, 256)
    table = torch.where(step > 0, table, torch.arange(_LEVELS, device=images.device))
    return table.gather(1, levels).view(images.shape).to(images.dtype) / (_LEVELS - 1)


def saturate(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Colours moved away from grey: 0 is grey, 1 leaves them. factor: (B,); grey images stay."""
    if images.shape[1] != 3:
        return images
    grey = (images * luma(images.device)).sum(dim=1, keepdim=True)
    return (images - grey) * factor.view(-1, 1, 1, 1) + grey
