"""Any colour mode becomes plain grey or colour, for a set's pictures and a photo alike."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fer_core.data.image_files import fault, grey_or_rgb, known_formats, upright
from fer_core.data.pictures import PictureError, decode_picture
from fer_core.inference.photo import PhotoError, read_photo

Read = Callable[[bytes], np.ndarray]
READERS = pytest.mark.parametrize("read", [decode_picture, read_photo])


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@READERS
@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_grey_keeps_its_shades(read: Read, top: float) -> None:
    values = np.array([[0, top / 5], [top * 3 / 5, top]], dtype=np.float32)
    result = read(encoded(Image.fromarray(values), "TIFF"))
    assert result[..., 0].tolist() == [[0, 51], [153, 255]]


@READERS
def test_lab_colours_become_screen_colours(read: Read) -> None:
    white_and_black = Image.new("LAB", (8, 8), (255, 128, 128))
    white_and_black.paste((0, 128, 128), (0, 0, 4, 8))
    result = read(encoded(white_and_black, "TIFF")).astype(int)
    assert result[4, 6].min() > 245
    assert result[4, 1].max() < 10


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of damaged EXIF data
@READERS
def test_an_unreadable_orientation_tag_leaves_the_picture(read: Read) -> None:
    damaged = b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"
    data = encoded(Image.new("RGB", (24, 24), (200, 30, 30)), "JPEG", exif=damaged)
    assert read(data).shape == (24, 24, 3)


@READERS
def test_an_icon_is_refused_for_it_is_decoded_before_its_size_is_known(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = encoded(Image.new("RGB", (2000, 2000)))
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22)
    icon = struct.pack("<HHH", 0, 1, 1) + entry + inside
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises((PictureError, PhotoError), match="not a picture"):
        read(icon)


@READERS
def test_a_picture_cut_short_is_no_damaged_tag(read: Read) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    tag = Image.Exif()
    tag[0x0112] = 6
    data = encoded(Image.fromarray(noise), "JPEG", exif=tag, quality=95)
    with pytest.raises((PictureError, PhotoError), match="damaged"):
        read(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("mode", "becomes"), [("1", "L"), ("L", "L"), ("P", "RGB"), ("HSV", "RGB")]
)
def test_what_is_grey_stays_one_channel(mode: str, becomes: str) -> None:
    assert grey_or_rgb(Image.new(mode, (4, 4))).mode == becomes


def test_a_picture_is_turned_by_its_tag() -> None:
    picture = Image.new("L", (20, 10))
    picture.getexif()[0x0112] = 6
    assert upright(picture).size == (10, 20)


def test_every_known_format_can_be_opened_here() -> None:
    assert {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"} <= set(known_formats())
    assert set(known_formats()) <= set(Image.OPEN)


def test_a_fault_is_one_short_line() -> None:
    assert fault(OSError("cut\nshort")) == "cut"
    assert fault(MemoryError()) == "MemoryError"
    assert len(fault(ValueError("x" * 500))) == 120
