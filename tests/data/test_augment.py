"""Augmentation: each operation does what its name says, reproducibly, inside the range 0..1."""

from dataclasses import replace

import pytest
import torch

from fer_core.data.augment import LIMITS, POLICIES, AugmentPolicy, augment


def _images(count: int = 8, channels: int = 1) -> torch.Tensor:
    return torch.rand(count, channels, 48, 48, generator=torch.Generator().manual_seed(1))


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", POLICIES)
def test_shape_range_and_input_are_kept(name: str, channels: int) -> None:
    images = _images(channels=channels)
    before = images.clone()
    drawn = augment(images, POLICIES[name], _generator())
    assert drawn.shape == images.shape
    assert drawn.dtype == torch.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert torch.equal(images, before)


def test_no_policy_changes_nothing() -> None:
    images = _images()
    assert torch.equal(augment(images, POLICIES["none"], _generator()), images)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    images = _images()
    first = augment(images, POLICIES["strong"], _generator(5))
    assert torch.equal(first, augment(images, POLICIES["strong"], _generator(5)))
    assert not torch.equal(first, augment(images, POLICIES["strong"], _generator(6)))


def test_images_of_a_batch_draw_their_own_values() -> None:
    same = _images(1).expand(8, -1, -1, -1)
    drawn = augment(same, AugmentPolicy(rotation_degrees=20), _generator())
    assert not torch.equal(drawn[0], drawn[1])


def test_flip_mirrors_left_and_right() -> None:
    images = _images()
    assert torch.equal(
        augment(images, AugmentPolicy(flip_probability=1), _generator()), images.flip(-1)
    )


def test_flip_and_rotation_mirror_about_half_of_a_batch() -> None:
    """The flip is part of the affine map when there is other geometry."""
    ramp = torch.linspace(0, 1, 48).expand(400, 1, 48, 48)
    drawn = augment(ramp, AugmentPolicy(flip_probability=0.5, rotation_degrees=5), _generator())
    mirrored = drawn[:, 0, 24, 4] > drawn[:, 0, 24, 44]
    assert 150 < mirrored.sum() < 250


def test_rotation_keeps_the_middle_and_turns_a_bar() -> None:
    bar = torch.zeros(64, 1, 49, 49)
    bar[:, :, :, 23:26] = 1
    drawn = augment(bar, AugmentPolicy(rotation_degrees=45), _generator())
    assert (drawn[:, 0, 24, 24] > 0.9).all()
    assert drawn[:, 0, 4, 24].min() < 0.1  # a turned bar leaves the top of its column


def test_zoom_changes_the_size_both_ways() -> None:
    square = torch.zeros(64, 1, 48, 48)
    square[:, :, 16:32, 16:32] = 1
    areas = augment(square, AugmentPolicy(zoom_fraction=0.3), _generator()).sum(dim=(1, 2, 3))
    assert areas.min() < 0.8 * 256
    assert areas.max() > 1.2 * 256


def test_shift_moves_by_at_most_its_share() -> None:
    dot = torch.zeros(64, 1, 48, 48)
    dot[:, :, 24, 24] = 1
    drawn = augment(dot, AugmentPolicy(shift_fraction=0.25), _generator())
    rows = drawn.sum(dim=(1, 3)).argmax(dim=1)
    assert rows.min() >= 11
    assert rows.max() <= 37
    assert rows.unique().numel() > 5


def test_shear_leans_a_bar_and_keeps_its_rows() -> None:
    bar = torch.zeros(16, 1, 48, 48)
    bar[:, :, :, 22:26] = 1
    drawn = augment(bar, AugmentPolicy(shear_degrees=30), _generator())
    tops, bottoms = drawn[:, 0, 8].argmax(dim=1), drawn[:, 0, 40].argmax(dim=1)
    assert (tops - bottoms).abs().max() > 6
    assert ((drawn[:, 0, 24].argmax(dim=1) - 23).abs() <= 2).all()


def test_brightness_and_contrast_change_mean_and_spread() -> None:
    images = _images(32) * 0.2 + 0.4
    bright = augment(images, AugmentPolicy(brightness=0.3), _generator())
    assert (bright.mean(dim=(1, 2, 3)) - 0.5).abs().max() > 0.15
    stretched = augment(images, AugmentPolicy(contrast=0.5), _generator())
    assert stretched.std(dim=(1, 2, 3)).max() > 1.3 * images.std(dim=(1, 2, 3)).max()
    assert torch.allclose(stretched.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=1e-3)


def test_blur_smooths_and_keeps_the_mean() -> None:
    images = _images()
    drawn = augment(images, AugmentPolicy(blur_pixels=2), _generator())
    assert drawn.std() < 0.8 * images.std()
    assert abs(float(drawn.mean() - images.mean())) < 0.01


def test_noise_has_at_most_its_deviation() -> None:
    grey = torch.full((64, 1, 48, 48), 0.5)
    spread = augment(grey, AugmentPolicy(noise_std=0.1), _generator()).std(dim=(1, 2, 3))
    assert 0.06 < spread.max() < 0.11
    assert spread.min() < 0.04


def test_erasing_overwrites_one_rectangle_of_bounded_area() -> None:
    images = torch.full((64, 1, 48, 48), 0.5)
    policy = AugmentPolicy(erase_probability=1, erase_fraction=0.2)
    changed = (augment(images, policy, _generator()) != 0.5).float().mean(dim=(1, 2, 3))
    assert changed.max() <= 0.25
    assert changed.min() > 0.01


@pytest.mark.parametrize("name", LIMITS)
def test_a_strength_past_its_limit_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 0 to"):
        replace(AugmentPolicy(), **{name: LIMITS[name] * 1.01})


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown augmentation"):
        AugmentPolicy.from_dict({"sparkle": 1})
