"""From the bytes of one picture, in any usual format and colour mode, to a square uint8 array.

Bounded: a picture's size is checked before it is decoded. What cannot be read is a PictureError.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_core.data.image_files import (
    DAMAGED,
    TOO_LARGE,
    fault,
    grey_or_rgb,
    known_formats,
    upright,
)

#: File name endings that count as a picture in a folder or a zip.
PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm"}
)
MAX_PICTURE_PIXELS = 64_000_000
MAX_PICTURE_BYTES = 64 * 2**20


class PictureError(ValueError):
    """A picture that cannot be read; the message is the reason."""


def decode_picture(
    content: bytes | Path, image_size: int | None = None, channels: int | None = None
) -> np.ndarray:
    """One picture as a square: uint8 (S, S, C).

    image_size: S in pixels; None keeps the longer side. channels: 1 grey, 3 colour, None is 1 for a
    picture without colour (grey mode, or R = G = B everywhere) and 3 otherwise. EXIF rotation is
    applied, transparency lies on white. A picture that is not square is scaled to fit and its outer
    rows or columns are repeated to fill the square. Raises PictureError.
    """
    picture = _opened(content)
    try:
        if image_size:  # a large JPEG is decoded at a fraction of its size
            picture.draft(None, (image_size, image_size))
        plain = grey_or_rgb(upright(picture))
        if channels == 1 and plain.mode == "RGB":
            plain = plain.convert("L")
        longer = max(plain.size)
        if image_size and longer != image_size:
            sides = [max(1, round(side * image_size / longer)) for side in plain.size]
            plain = plain.resize(sides, Image.Resampling.BILINEAR)  # antialiased when it shrinks
        pixels = np.asarray(plain)
    except (*DAMAGED, *TOO_LARGE) as error:
        raise PictureError(f"damaged picture ({fault(error)})") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    elif channels is None and _is_grey(pixels):
        pixels = pixels[:, :, :1]
    return with_channels(_squared(pixels), channels)


def picture_side(content: bytes | Path | np.ndarray) -> int:
    """The longer side in pixels, from the header alone. Raises PictureError."""
    if isinstance(content, np.ndarray):
        return max(content.shape[:2])
    return max(_opened(content).size)


def resized(pixels: np.ndarray, image_size: int) -> np.ndarray:
    """uint8 (H, W, C) as (image_size, image_size, C), in the way of `decode_picture`."""
    longer = max(pixels.shape[:2])
    if longer != image_size:
        height, width = (max(1, round(side * image_size / longer)) for side in pixels.shape[:2])
        flat = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        pixels = np.asarray(flat.resize((width, height), Image.Resampling.BILINEAR))
        pixels = pixels.reshape(height, width, -1)
    return _squared(pixels)


def with_channels(pixels: np.ndarray, channels: int | None) -> np.ndarray:
    """uint8 (..., 1 or 3) with the wanted number of channels; None leaves it as it is."""
    have = pixels.shape[-1]
    if channels is None or channels == have:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]


def _opened(content: bytes | Path) -> Image.Image:
    """The picture with its header read and its size checked, not decoded yet."""
    if isinstance(content, Path):
        try:
            size = content.stat().st_size
            if size > MAX_PICTURE_BYTES:
                raise PictureError(f"{size / 2**20:.0f} MB, the limit is {MAX_PICTURE_BYTES >> 20}")
            content = content.read_bytes()
        except OSError as error:
            raise PictureError(f"cannot be opened ({error.strerror})") from error
    if not content:
        raise PictureError("empty file")
    try:
        picture = Image.open(io.BytesIO(content), formats=known_formats())
    except UnidentifiedImageError as error:
        raise PictureError("not a picture in a known format") from error
    except TOO_LARGE as error:
        raise PictureError(f"more than {MAX_PICTURE_PIXELS // 10**6} megapixels") from error
    except DAMAGED as error:
        raise PictureError(f"damaged picture ({fault(error)})") from error
    width, height = picture.size
    if width * height > MAX_PICTURE_PIXELS:
        limit = MAX_PICTURE_PIXELS // 10**6
        raise PictureError(f"{width}×{height} pixels, the limit is {limit} megapixels")
    return picture


def _is_grey(pixels: np.ndarray) -> bool:
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _squared(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C) in the middle of a square, the edge rows or columns repeated outwards."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    if height == width:
        return pixels
    top, left = (side - height) // 2, (side - width) // 2
    borders = ((top, side - height - top), (left, side - width - left), (0, 0))
    return np.pad(pixels, borders, mode="edge")
