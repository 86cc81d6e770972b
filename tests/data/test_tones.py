"""Tone operations on batches agree with torchvision's, image by image."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2

from fer_core.data.tones import autocontrast, equalise, saturate


def _pictures(channels: int = 3) -> torch.Tensor:
    """uint8 (16, C, 32, 32): dim, uneven ones; one of a single value, one of two values."""
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand(16, channels, 32, 32, generator=generator) ** 2 * 0.6 + 0.1
    pictures = unit.mul(255).round().to(torch.uint8)
    pictures[0] = 90
    pictures[1] = 20
    pictures[1, :, 3, 5] = 200
    return pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_equalise_is_torchvisions_to_the_level(channels: int) -> None:
    pictures = _pictures(channels)
    levels = equalise(pictures / 255).mul(255).round().to(torch.uint8)
    assert torch.equal(levels, v2.functional.equalize(pictures))
    assert levels[5].float().std() > 1.3 * pictures[5].float().std()


@pytest.mark.parametrize("channels", [1, 3])
def test_autocontrast_is_torchvisions(channels: int) -> None:
    unit = _pictures(channels) / 255
    stretched = autocontrast(unit)
    assert torch.allclose(stretched, v2.functional.autocontrast(unit), atol=1e-6)
    assert stretched[5].min() == 0
    assert stretched[5].max() == 1
    assert torch.equal(stretched[0], unit[0]), "a picture of one value has no contrast to stretch"


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.4])
def test_saturation_is_torchvisions(factor: float) -> None:
    unit = _pictures() / 255
    drawn = saturate(unit, torch.full((16,), factor)).clamp(0, 1)
    assert torch.allclose(drawn, v2.functional.adjust_saturation(unit, factor), atol=1e-3)


def test_saturation_leaves_grey_pictures_alone() -> None:
    grey = _pictures(1) / 255
    assert saturate(grey, torch.full((16,), 0.2)) is grey
