"""One function prepares images for training and prediction; its values are fixed here."""

import numpy as np
import pytest
import torch
from PIL import Image

from fer_core.data.preprocess import Preprocessing


def _colour(count: int = 2, size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_grey_of_a_colour_image_is_pillows() -> None:
    images = _colour()
    unit = Preprocessing(48, 1).to_unit(torch.from_numpy(images))
    pillow = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])
    assert np.abs(unit[:, 0].numpy() * 255 - pillow).max() <= 1


def test_a_grey_image_becomes_three_equal_channels() -> None:
    images = torch.from_numpy(_colour()[..., :1])
    unit = Preprocessing(48, 3, (0.5,), (0.5,)).to_unit(images)
    assert unit.shape == (2, 3, 48, 48)
    assert torch.equal(unit[:, 0], unit[:, 2])


def test_shrinking_is_antialiased() -> None:
    stripes = np.zeros((1, 96, 96, 1), dtype=np.uint8)
    stripes[:, :, ::2] = 255
    unit = Preprocessing(48, 1).to_unit(torch.from_numpy(stripes))
    assert (unit[..., 4:-4] - 0.5).abs().max() < 0.05


def test_mean_and_std_are_applied_per_channel() -> None:
    pre = Preprocessing(4, 3, (0.0, 0.5, 1.0), (1.0, 0.5, 0.25))
    white = torch.full((1, 4, 4, 3), 255, dtype=torch.uint8)
    assert torch.allclose(pre(white)[0, :, 0, 0], torch.tensor([1.0, 1.0, 0.0]))


def test_it_survives_the_way_through_json() -> None:
    pre = Preprocessing(64, 3, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert Preprocessing.from_dict(pre.to_dict()) == pre


def test_a_wrong_number_of_means_is_refused() -> None:
    with pytest.raises(ValueError, match="mean must have 3 values, got 2"):
        Preprocessing(48, 3, (0.1, 0.2), (0.5,))
