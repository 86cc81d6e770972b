"""One picture in any mode and shape becomes a square of uint8; what cannot is a PictureError."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.pictures import PictureError, decode_picture, picture_side


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_a_grey_square_keeps_every_pixel(form: str) -> None:
    pixels = noise(20, 20)
    result = decode_picture(encoded(Image.fromarray(pixels), form))
    assert np.array_equal(result[:, :, 0], pixels)


def test_grey_stored_as_colour_is_grey_and_colour_stays_colour() -> None:
    grey = np.repeat(noise(20, 20, 1), 3, axis=2)
    assert decode_picture(encoded(Image.fromarray(grey))).shape == (20, 20, 1)
    colour = noise(20, 20, 3)
    assert np.array_equal(decode_picture(encoded(Image.fromarray(colour))), colour)


def test_channels_can_be_asked_for() -> None:
    colour = Image.fromarray(noise(20, 20, 3))
    expected = np.asarray(colour.convert("L"))
    assert np.array_equal(decode_picture(encoded(colour), channels=1)[:, :, 0], expected)
    grey = decode_picture(encoded(Image.fromarray(noise(20, 20))), channels=3)
    assert grey.shape == (20, 20, 3)
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_a_wide_picture_is_scaled_to_fit_and_filled_with_its_edge() -> None:
    pixels = np.zeros((20, 40), dtype=np.uint8)
    pixels[:10], pixels[10:] = 50, 200
    result = decode_picture(encoded(Image.fromarray(pixels)))[:, :, 0]
    assert result.shape == (40, 40)
    assert (result[:20] == 50).all()
    assert (result[20:] == 200).all()
    small = decode_picture(encoded(Image.fromarray(pixels)), image_size=20)
    assert small.shape == (20, 20, 1)
    assert small[0, 0, 0] == 50


def test_exif_rotation_is_applied() -> None:
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8] = 255  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90° clockwise
    data = encoded(Image.fromarray(pixels), "JPEG", exif=exif, quality=95)
    result = decode_picture(data)[:, :, 0]
    assert result[:, 12:].min() > 200  # white on the right
    assert result[:, :4].max() < 50


def test_transparency_lies_on_white() -> None:
    picture = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert (decode_picture(encoded(picture)) == 255).all()
    palette = Image.new("P", (10, 10), 0)
    palette.putpalette([0, 0, 0] * 256)
    assert (decode_picture(encoded(palette, transparency=0)) == 255).all()


def test_sixteen_bits_are_scaled_and_not_cut() -> None:
    values = np.array([[0, 257 * 100], [257 * 200, 65535]], dtype=np.uint16)
    result = decode_picture(encoded(Image.fromarray(values)))
    assert result[:, :, 0].tolist() == [[0, 100], [200, 255]]


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LA", "RGBA"])
def test_every_mode_shows_the_same_picture(mode: str) -> None:
    pixels = np.zeros((16, 16), dtype=np.uint8)
    pixels[4:12, 4:12] = 255
    form = "TIFF" if mode == "CMYK" else "PNG"
    result = decode_picture(encoded(Image.fromarray(pixels).convert(mode), form))
    assert np.abs(result[:, :, 0].astype(int) - pixels).max() <= 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"no picture", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
)
def test_what_is_no_picture_says_so(content: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        decode_picture(content)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of damaged EXIF data
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_picture_cut_short_at_any_place_is_refused_or_read_but_never_crashes(form: str) -> None:
    whole = encoded(Image.fromarray(noise(32, 32)), form)
    for length in range(1, len(whole), max(1, len(whole) // 40)):
        try:
            assert decode_picture(whole[:length]).shape == (32, 32, 1)
        except PictureError:
            continue
    with pytest.raises(PictureError):
        decode_picture(whole[: len(whole) // 2])


def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = encoded(Image.new("1", (9000, 9000)))
    assert len(bomb) < 100_000
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(PictureError, match="megapixels"):
        decode_picture(bomb)


def test_a_file_that_is_not_there_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PictureError, match="cannot be opened"):
        decode_picture(tmp_path / "none.png")
    monkeypatch.setattr("fer_core.data.pictures.MAX_PICTURE_BYTES", 10)
    (tmp_path / "large.png").write_bytes(b"x" * 11)
    with pytest.raises(PictureError, match="the limit"):
        decode_picture(tmp_path / "large.png")


def test_the_longer_side_is_known_from_the_header() -> None:
    assert picture_side(encoded(Image.new("L", (30, 20)))) == 30
