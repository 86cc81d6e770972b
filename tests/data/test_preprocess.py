"""One function prepares images for training and prediction; its values are fixed here."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from fer_core.data.preprocess import PixelScaler, Preprocessing


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
    with pytest.raises(ValueError, match=r"mean must have 3 values, or one for each of .* got 2"):
        Preprocessing(48, 3, (0.1, 0.2), (0.5,))


def test_inverse_gives_back_what_normalise_was_given() -> None:
    unit = Preprocessing(48, 3).to_unit(torch.from_numpy(_colour()))
    for pre in (
        Preprocessing(48, 3, (0.1, 0.5, 0.9), (0.2, 0.5, 1.0)),
        PixelScaler().fit(_colour(20)).preprocessing(),
    ):
        assert torch.allclose(pre.inverse(pre.normalise(unit)), unit, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_scaler_gives_every_pixel_mean_0_and_deviation_a_quarter(channels: int) -> None:
    images = _colour(50, 12)[..., :channels]
    scaler = PixelScaler().fit(images)
    scaled = scaler.transform(images)  # (50, C, 12, 12)
    assert scaled.shape == (50, channels, 12, 12)
    assert np.abs(scaled.mean(axis=0)).max() < 1e-5
    assert np.abs(scaled.std(axis=0) - 0.25).max() < 1e-5
    back = scaler.inverse(scaled).transpose(0, 2, 3, 1) * 255
    assert np.abs(back - images).max() < 1e-3


def test_the_scaler_agrees_with_numpy_over_several_blocks() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2500, 5, 5, 1), dtype=np.uint8)
    fitted = PixelScaler(target_std=0.5).fit(images).preprocessing()
    unit = images.reshape(2500, 25) / 255
    assert np.allclose(fitted.mean, unit.mean(axis=0), atol=1e-6)
    assert np.allclose(fitted.std, unit.std(axis=0) / 0.5, atol=1e-6)


def test_a_pixel_that_never_changes_is_only_centred() -> None:
    images = _colour(30, 6)[..., :1].copy()
    images[:, 0, 0] = 77
    scaler = PixelScaler().fit(images)
    assert np.abs(scaler.transform(images)[:, 0, 0, 0]).max() < 1e-6
    images[0, 0, 0] = 255
    assert scaler.transform(images)[0, 0, 0, 0] == pytest.approx((255 - 77) / 255, abs=1e-6)


def test_what_the_scaler_found_survives_the_way_through_json() -> None:
    images = _colour(20, 24)
    pre = PixelScaler().fit(images, image_size=16).preprocessing()
    text = json.dumps(pre.to_dict())
    again = Preprocessing.from_dict(json.loads(text))
    assert again == pre
    assert torch.equal(again(torch.from_numpy(images)), pre(torch.from_numpy(images)))
    assert len(text) < 2 * 3 * 16 * 16 * 14


def test_every_pixel_has_its_own_place_in_the_order_channel_row_column() -> None:
    images = np.zeros((2, 2, 3, 3), dtype=np.uint8)[:, :, :2]
    images[1, 1, 0, 2] = 255  # row 1, column 0, blue
    mean = PixelScaler().fit(images).preprocessing().mean
    assert np.flatnonzero(mean).tolist() == [2 * 4 + 1 * 2 + 0]


def test_the_scaler_is_fitted_once_and_before_use() -> None:
    scaler = PixelScaler()
    images = _colour(4, 6)
    for use in (scaler.preprocessing, lambda: scaler.transform(images),
                lambda: scaler.inverse(images)):  # fmt: skip
        with pytest.raises(ValueError, match="must be fitted to training images first"):
            use()
    scaler.fit(images)
    with pytest.raises(ValueError, match="fitted already"):
        scaler.fit(images)


def test_the_scaler_refuses_what_it_was_not_fitted_to() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        PixelScaler().fit(_colour(0))
    with pytest.raises(ValueError, match="must be square, got 6 x 8"):
        PixelScaler().fit(np.zeros((2, 8, 6, 1), np.uint8))
    with pytest.raises(ValueError, match="target_std must be above 0"):
        PixelScaler(0)
    grey = PixelScaler().fit(_colour(4, 6)[..., :1])
    with pytest.raises(ValueError, match="fitted to 6 pixels and 1 channels, got 8 and 1"):
        grey.preprocessing(8)
    colour = grey.preprocessing(channels=3)
    images = torch.from_numpy(_colour(4, 6)[..., :1])
    assert torch.allclose(colour(images)[:, 1], grey.preprocessing()(images)[:, 0])
