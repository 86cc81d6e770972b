"""Every kind of picture comes out upright and in its colours; a bad one is refused in words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.inference import photo
from fer_core.inference.photo import PhotoError, read_photo

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_halves(left: tuple[int, ...], right: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    """40 x 20 pixels, the left half in one colour and the right half in another."""
    image = Image.new(mode, (40, 20), right)
    image.paste(left, (0, 0, 20, 20))
    return image


def test_plain_colour_picture_is_read_as_it_is() -> None:
    image = read_photo(encoded(two_halves(RED, (0, 0, 255))))
    assert image.shape == (20, 40, 3)
    assert image.dtype == np.uint8
    assert tuple(image[10, 5]) == RED
    assert tuple(image[10, 35]) == (0, 0, 255)


@pytest.mark.parametrize(
    ("orientation", "shape", "red_at"),
    [
        (1, (20, 40), (10, 5)),
        (3, (20, 40), (10, 35)),
        (6, (40, 20), (5, 10)),
        (8, (40, 20), (35, 10)),
    ],
)
def test_picture_is_turned_upright(
    orientation: int, shape: tuple[int, int], red_at: tuple[int, int]
) -> None:
    tag = Image.Exif()
    tag[0x0112] = orientation
    image = read_photo(encoded(two_halves(RED, (0, 0, 255)), "JPEG", exif=tag, quality=95))
    assert image.shape[:2] == shape
    red, _, blue = image[red_at].astype(int)
    assert red > 200
    assert blue < 60


def test_unreadable_orientation_tag_leaves_the_picture() -> None:
    data = encoded(two_halves(RED, WHITE), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    assert read_photo(data).shape == (20, 40, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_lies_on_white(kind: str) -> None:
    image = read_photo(encoded(two_halves((0, 0, 0, 0), (*RED, 255), "RGBA"), kind))
    assert image[10, 2].min() >= 250
    assert image[10, 38, 0] > 240
    assert image[10, 38, 1] < 20


def test_half_transparent_black_is_mid_grey() -> None:
    image = read_photo(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128))))
    assert abs(int(image[4, 4, 0]) - 127) <= 1


def test_grey_with_transparency_lies_on_white() -> None:
    assert read_photo(encoded(Image.new("LA", (8, 8), (0, 0)))).min() == 255


def test_palette_keeps_its_colours_and_its_transparent_entry() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, *RED])
    assert tuple(read_photo(encoded(image))[4, 4]) == RED
    assert tuple(read_photo(encoded(image, transparency=1))[4, 4]) == WHITE


def test_print_colours_come_out_as_screen_colours() -> None:
    cyan, nothing = (255, 0, 0, 0), (0, 0, 0, 0)
    image = read_photo(encoded(two_halves(cyan, nothing, "CMYK"), "JPEG", quality=95))
    red, green, blue = image[10, 5].astype(int)
    assert red < 60
    assert green > 150
    assert blue > 200
    assert image[10, 35].min() > 240


def test_16_bit_grey_keeps_its_shades() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    image = read_photo(encoded(Image.fromarray(ramp)))
    assert image[0, 0, 0] == 0
    assert image[0, -1, 0] == 255
    assert abs(int(image[0, 128, 0]) - 128) <= 1


@pytest.mark.parametrize("top", [1.0, 255.0, 9000.0])
def test_floating_point_grey_keeps_its_shades(top: float) -> None:
    values = np.array([[0, top / 2, top]], dtype=np.float32)
    image = read_photo(encoded(Image.fromarray(values), "TIFF"))
    shades = image[0, :, 0].astype(int)
    assert shades[0] == 0
    if top <= 255:
        assert abs(shades[1] - 128) <= 1
        assert shades[2] == 255
    else:  # taken for 16 bits
        assert shades[2] == round(top * 255 / 65535)


def test_bilevel_picture_is_black_and_white() -> None:
    assert set(np.unique(read_photo(encoded(two_halves((0,), (1,), "1"))))) == {0, 255}


def test_animation_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), (0, 0, 255))
    data = encoded(first, "GIF", save_all=True, append_images=[second])
    assert tuple(read_photo(data)[4, 4]) == RED


def test_path_bytes_image_and_array_give_the_same(tmp_path: Path) -> None:
    image = two_halves(RED, (0, 0, 255))
    path = tmp_path / "picture.png"
    image.save(path)
    expected = np.array(image)
    for source in (path, str(path), path.read_bytes(), image, expected):
        assert (read_photo(source) == expected).all()
    assert image.getpixel((5, 5)) == RED  # the caller's picture was not closed


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 4)])
def test_array_of_any_channels_becomes_colour(shape: tuple[int, ...]) -> None:
    assert read_photo(np.full(shape, 255, dtype=np.uint8)).shape == (6, 5, 3)


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8)])
def test_array_of_another_kind_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="must be uint8"):
        read_photo(array)


def test_a_telephones_picture_is_read_upright(tmp_path: Path) -> None:
    picture = two_halves(RED, WHITE).resize((320, 160))
    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned to the right
    picture.save(tmp_path / "plain.heic", "HEIF", quality=90)
    picture.save(tmp_path / "turned.heic", "HEIF", quality=90, exif=turned.tobytes())
    plain, upright = read_photo(tmp_path / "plain.heic"), read_photo(tmp_path / "turned.heic")
    assert plain.shape == (160, 320, 3)
    assert np.abs(plain.astype(int) - np.array(picture)).mean() < 4
    assert np.abs(upright.astype(int) - np.rot90(plain, -1)).mean() < 1


def test_of_a_heic_file_the_main_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [Image.new("RGB", (640, 640), RED), Image.new("RGB", (64, 64), (0, 0, 255))]
    path = tmp_path / "two.heic"
    pictures[0].save(path, "HEIF", save_all=True, append_images=pictures[1:], primary_index=1)
    monkeypatch.setattr(photo, "MAX_PIXELS", 100_000)  # which the other picture is beyond
    image = read_photo(path)
    assert image.shape == (64, 64, 3)
    assert image[..., 2].min() > 200


def test_a_heic_file_that_lies_about_its_size_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    data = bytearray(encoded(Image.fromarray(noise), "HEIF"))
    at = data.index(b"ispe") + 8  # the promised width and height
    data[at : at + 8] = struct.pack(">II", 64, 64)
    with pytest.raises(PhotoError, match="damaged or incomplete"):
        read_photo(bytes(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_cut_off_file_is_refused_in_plain_words(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PhotoError, match=r"damaged or incomplete|cannot be read|not a picture"):
        read_photo(data[: len(data) // 2])


def test_every_damaged_byte_is_survived() -> None:
    """A picture with one byte changed either reads or is refused; nothing else is raised."""
    random = np.random.default_rng(0)
    noise = Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    for kind in ("PNG", "GIF", "TIFF", "JPEG", "BMP", "WEBP", "HEIF"):
        data = bytearray(encoded(noise, kind))
        for place in random.integers(0, min(len(data), 400), 60):
            changed = bytearray(data)
            changed[place] ^= 0xFF
            try:
                assert read_photo(bytes(changed)).ndim == 3
            except PhotoError:
                continue


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"no picture at all", "not a picture")]
)
def test_what_is_no_picture_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words):
        read_photo(data)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"nowhere\.jpg"):
        read_photo(tmp_path / "nowhere.jpg")


def test_postscript_is_never_handed_to_a_program() -> None:
    with pytest.raises(PhotoError, match="not a picture"):
        read_photo(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")


def test_picture_beyond_the_limit_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 500)
    data = encoded(two_halves(RED, WHITE))  # 800 pixels
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("was decoded"))
    with pytest.raises(PhotoError, match="40 x 20 pixels"):
        read_photo(data)


def test_of_an_animation_its_first_picture_is_bounded_and_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = [Image.new("RGB", (40, 40), RED), Image.new("RGB", (40, 40), (0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    opened = Image.open(io.BytesIO(data))
    opened.seek(1)
    assert tuple(read_photo(opened)[20, 20]) == RED
    monkeypatch.setattr(photo, "MAX_PIXELS", 500)
    with pytest.raises(PhotoError, match="has 40 x 40 pixels, more than can be read"):
        read_photo(opened)


def test_large_jpeg_is_decoded_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 50_000)
    image = read_photo(encoded(Image.new("RGB", (640, 480), RED), "JPEG"))
    assert image.shape == (120, 160, 3)  # a quarter each way: half would be 76,800 pixels
    assert image[60, 80, 0] > 240


def test_header_that_promises_gigapixels_is_refused() -> None:
    data = bytearray(encoded(Image.new("1", (8, 8))))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(PhotoError, match="too large"):
        read_photo(bytes(data))
