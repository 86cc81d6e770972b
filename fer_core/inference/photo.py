"""Any picture a person has (a path, bytes, a Pillow image, an array) to uint8 RGB (H, W, 3).

Turned upright by its EXIF tag, transparency laid on white, 16-bit depth scaled, first frame of an
animation. The size is read from the header and bounded before a pixel is decoded.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 20_000_000

#: What is opened at all. Left out on purpose: formats that run a program to be drawn (EPS, WMF).
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO")

#: What Pillow's decoders raise on damaged files, beyond OSError.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    struct.error,
    zlib.error,
)


class PhotoError(ValueError):
    """A picture that cannot be read; the message says what was wrong and what to do."""


def read_photo(source: str | Path | bytes | Image.Image | np.ndarray) -> np.ndarray:
    """The picture as uint8 (H, W, 3), red-green-blue, upright, at most MAX_PIXELS pixels.

    source: a path, the bytes of a file, an opened Pillow image, or uint8 (H, W), (H, W, 1 | 3 | 4).
    A JPEG above the limit is decoded at a half, a quarter or an eighth of its size; anything else
    above it raises PhotoError, as does a picture that is damaged, empty or not a picture.
    """
    # Pillow warns of damaged tags and large sizes; what matters of it is an error here. In a server
    # with threads the worst of this switch is that a warning shows after all.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(source, np.ndarray):
            return _decode(_from_array(source), "the picture")
        if isinstance(source, Image.Image):
            return _decode(source, "the picture")
        name, image = _open(source)
        with image:
            return _decode(image, name)


def _decode(image: Image.Image, name: str) -> np.ndarray:
    _bound_size(image, name)
    try:
        image.seek(0)
        image.load()
        return _to_rgb(_upright(image))
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{name} is too large ({error}); {_shrink()}") from error
    except _DAMAGED as error:
        raise PhotoError(
            f"{name} is damaged or incomplete ({_reason(error)}); "
            "copy or download it again, or save it anew as JPEG or PNG"
        ) from error


def _open(source: str | Path | bytes) -> tuple[str, Image.Image]:
    if isinstance(source, bytes):
        name, opened = "the picture", io.BytesIO(source)
        size = len(source)
    else:
        name, opened = Path(source).name or str(source), Path(source)
        if not opened.is_file():
            raise PhotoError(f"no picture at {source}; give the path of an image file")
        size = opened.stat().st_size
    if not size:
        raise PhotoError(f"{name} is empty (0 bytes); choose another file")
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        return name, Image.open(opened, formats=formats)
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{name} is too large ({error}); {_shrink()}") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{name} is not a picture that can be read; give a JPEG, PNG, WebP, GIF, BMP or TIFF"
        ) from error
    except _DAMAGED as error:
        raise PhotoError(
            f"{name} cannot be read ({_reason(error)}); save it anew as JPEG or PNG"
        ) from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not fits or not array.size:
        got = f"{array.dtype} {array.shape}"
        raise PhotoError(f"a picture must be uint8 (H, W), (H, W, 1), (H, W, 3 or 4), got {got}")
    return Image.fromarray(array)


def _bound_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS and image.format in ("JPEG", "MPO"):
        fits = [part for part in (2, 4, 8) if width * height / part**2 <= MAX_PIXELS]
        if fits:
            image.draft(None, (width // fits[0], height // fits[0]))
    if image.size[0] * image.size[1] > MAX_PIXELS:
        raise PhotoError(
            f"{name} has {width} x {height} pixels, more than can be read; {_shrink()}"
        )


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGED:  # the tag is unreadable, the pixels are not
        return image


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):  # 16- and 32-bit grey, which Pillow would clip to white
        return _deep_grey(np.asarray(image))
    if image.mode == "LAB":
        from PIL import ImageCms

        srgb = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), srgb, outputMode="RGB"
        )
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))


def _deep_grey(grey: np.ndarray) -> np.ndarray:
    """Grey of any depth (H, W) → uint8 (H, W, 3); white is told by type and largest value."""
    values = np.nan_to_num(grey.astype(np.float64))
    top = values.max(initial=0)
    whites = (1.0, 255.0, 65535.0) if grey.dtype.kind == "f" else (255.0, 65535.0)
    white = next((white for white in whites if top <= white), top)
    eight_bit = (values.clip(0, white) * (255 / white)).round().astype(np.uint8)
    return np.repeat(eight_bit[:, :, None], 3, axis=2)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _shrink() -> str:
    return f"save it with at most {MAX_PIXELS // 1_000_000} million pixels"
