"""Augmentation as batched tensor work with per-image parameters and an explicit generator.

The same code on CPU and GPU, in training and in the Augment tab. All geometry of one image is one
affine map, so a picture is resampled once however many operations are on.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional

from fer_core.data.geometry import surround, uniform, warp
from fer_core.data.policies import AugmentPolicy
from fer_core.data.tones import autocontrast, equalise, saturate


def augment(
    images: torch.Tensor, policy: AugmentPolicy, generator: torch.Generator
) -> torch.Tensor:
    """Draw one random variant of every image.

    images: float32 (B, C, H, W) in 0..1; returns the same shape, dtype and range, a new tensor.
    generator: of the images' device; the same generator state gives the same result. An operation
    of strength 0 draws nothing, except within the affine map and the flip, which always draw the
    same: so an operation that is added later changes no draw of a policy without it.
    """
    images, grid = warp(images, policy, generator)
    if policy.surroundings_probability:
        images = surround(images, grid, policy.surroundings_probability, generator)
    if policy.blur_pixels:
        images = _blur(images, policy.blur_pixels, generator)
    images = _tones(images, policy, generator)
    images = _light(images, policy, generator)
    if policy.noise_std:
        std = uniform(images, 0, policy.noise_std, generator).view(-1, 1, 1, 1)
        noise = torch.randn(
            images.shape, generator=generator, device=images.device, dtype=images.dtype
        )
        images = images + noise * std
    images = images.clamp(0, 1)
    if policy.erase_probability and policy.erase_fraction:
        images = _erase(images, policy, generator)
    return images


def _tones(images: torch.Tensor, policy: AugmentPolicy, generator: torch.Generator) -> torch.Tensor:
    for probability, operation in (
        (policy.autocontrast_probability, autocontrast),
        (policy.equalise_probability, equalise),
    ):
        if probability:
            chosen = uniform(images, 0, 1, generator) < probability
            images = torch.where(chosen.view(-1, 1, 1, 1), operation(images), images)
    return images


def _light(images: torch.Tensor, policy: AugmentPolicy, generator: torch.Generator) -> torch.Tensor:
    if policy.contrast:
        factor = 1 + uniform(images, -policy.contrast, policy.contrast, generator)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = (images - mean) * factor.view(-1, 1, 1, 1) + mean
    if policy.brightness:
        offset = uniform(images, -policy.brightness, policy.brightness, generator)
        images = images + offset.view(-1, 1, 1, 1)
    if policy.saturation:
        factor = 1 + uniform(images, -policy.saturation, policy.saturation, generator)
        images = saturate(images, factor)
    return images


def _blur(images: torch.Tensor, highest_std: float, generator: torch.Generator) -> torch.Tensor:
    """Each image with its own Gaussian: one grouped convolution per axis."""
    count, channels, height, width = images.shape
    radius = min(max(1, math.ceil(2.5 * highest_std)), min(height, width) - 1)
    std = uniform(images, 0, highest_std, generator).clamp_min(1e-3)  # (B,)
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (offsets / std.view(-1, 1)) ** 2)  # (B, K)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = images.reshape(1, count * channels, height, width)
    padded = functional.pad(flat, (radius, radius, radius, radius), mode="reflect")
    rows = functional.conv2d(padded, kernel[:, None, None, :], groups=count * channels)
    both = functional.conv2d(rows, kernel[:, None, :, None], groups=count * channels)
    return both.reshape(count, channels, height, width)


def _erase(images: torch.Tensor, policy: AugmentPolicy, generator: torch.Generator) -> torch.Tensor:
    """Overwrite one rectangle per chosen image with noise, of a fiftieth of the area or more where
    `erase_fraction` allows it."""
    height, width = images.shape[-2:]
    chosen = uniform(images, 0, 1, generator) < policy.erase_probability
    area = uniform(images, min(0.02, policy.erase_fraction), policy.erase_fraction, generator)
    aspect = torch.exp(uniform(images, -math.log(3), math.log(3), generator))
    box_h = (area * aspect).sqrt().clamp(max=1) * height
    box_w = (area / aspect).sqrt().clamp(max=1) * width
    top = uniform(images, 0, 1, generator) * (height - box_h)
    left = uniform(images, 0, 1, generator) * (width - box_w)
    y = torch.arange(height, device=images.device).view(1, -1, 1)
    x = torch.arange(width, device=images.device).view(1, 1, -1)
    inside_y = (y >= top.view(-1, 1, 1)) & (y < (top + box_h).view(-1, 1, 1))
    inside_x = (x >= left.view(-1, 1, 1)) & (x < (left + box_w).view(-1, 1, 1))
    mask = (inside_y & inside_x & chosen.view(-1, 1, 1)).unsqueeze(1)  # (B, 1, H, W)
    filling = torch.rand(
        images.shape, generator=generator, device=images.device, dtype=images.dtype
    )
    return torch.where(mask, filling, images)
