"""Where each pixel of a varied picture comes from: one affine map for each image, and what is seen
beyond its edge."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional

from fer_core.data.policies import AugmentPolicy


def uniform(
    images: torch.Tensor, low: float, high: float, generator: torch.Generator
) -> torch.Tensor:
    """(B,) values, one per image."""
    draw = torch.rand(len(images), generator=generator, device=images.device, dtype=images.dtype)
    return draw * (high - low) + low


def warp(
    images: torch.Tensor, policy: AugmentPolicy, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Flip, rotation, zoom, shear, shift and crop as one resampling with mirrored borders.

    images: float32 (B, C, H, W). Returns the images and where each pixel was read, (B, H, W, 2)
    from -1 to 1 inside the picture; None where nothing but the flip was done.
    """
    geometry = (
        policy.rotation_degrees,
        policy.shift_fraction,
        policy.zoom_fraction,
        policy.shear_degrees,
        policy.crop_fraction,
    )
    flip = uniform(images, 0, 1, generator) < policy.flip_probability  # (B,)
    if not any(geometry):  # a plain mirror image needs no resampling
        return torch.where(flip.view(-1, 1, 1, 1), images.flip(-1), images), None
    turn, shift, zoom, lean, cut = geometry
    angle = uniform(images, -turn, turn, generator) * (math.pi / 180)
    scale = 1 + uniform(images, -zoom, zoom, generator)
    shear = torch.tan(uniform(images, -lean, lean, generator) * (math.pi / 180))
    shift_x = uniform(images, -shift, shift, generator) * 2  # the grid runs from -1 to 1
    shift_y = uniform(images, -shift, shift, generator) * 2
    mirror = torch.where(flip, -1.0, 1.0).to(images.dtype)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    rows = (
        torch.stack([mirror * cosine, mirror * (shear * cosine - sine), mirror * shift_x], dim=1),
        torch.stack([sine, shear * sine + cosine, shift_y], dim=1),
    )
    matrix = torch.stack(rows, dim=1)  # (B, 2, 3), output position → input position
    if cut:
        matrix = matrix @ _crop(images, cut, generator)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    read = functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return read, grid


def surround(
    images: torch.Tensor,
    grid: torch.Tensor | None,
    probability: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Lay the picture with a soft margin of up to an eighth of its side before something else: the
    same pixels upside down and moved by half, lighter or darker."""
    count, _, height, width = images.shape
    if grid is None:
        upright = torch.eye(2, 3, device=images.device, dtype=images.dtype).expand(count, 2, 3)
        grid = functional.affine_grid(upright, list(images.shape), align_corners=False)
    chosen = uniform(images, 0, 1, generator) < probability  # (B,)
    margin = uniform(images, 0.03, 0.25, generator).view(-1, 1, 1)  # of half the side
    level = uniform(images, -0.5, 0.5, generator).view(-1, 1, 1, 1)
    inside = ((1 - grid.abs().amax(dim=-1)) / margin).clamp(0, 1).unsqueeze(1)  # (B, 1, H, W)
    other = (images.flip(2).roll((height // 2, width // 2), (2, 3)) + level).clamp(0, 1)
    laid = inside * images + (1 - inside) * other
    return torch.where(chosen.view(-1, 1, 1, 1), laid, images)


def _crop(images: torch.Tensor, largest_cut: float, generator: torch.Generator) -> torch.Tensor:
    """(B, 3, 3): output position → position in the random part of the picture that is kept."""
    area = uniform(images, 1 - largest_cut, 1, generator)
    # sides of 4 to 3 at most, and never longer than the picture's own
    longest = torch.minimum(-area.log(), torch.full_like(area, math.log(4 / 3)))
    aspect = torch.exp(uniform(images, -1, 1, generator) * longest)
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()
    middle_x = uniform(images, -1, 1, generator) * (1 - width)
    middle_y = uniform(images, -1, 1, generator) * (1 - height)
    zero, one = torch.zeros_like(area), torch.ones_like(area)
    rows = (
        torch.stack([width, zero, middle_x], dim=1),
        torch.stack([zero, height, middle_y], dim=1),
        torch.stack([zero, zero, one], dim=1),
    )
    return torch.stack(rows, dim=1)
