"""Any picture a person has (a path, bytes, a Pillow image, an array) to uint8 RGB (H, W, 3).

Turned upright by its EXIF tag, transparency laid on white, 16-bit depth scaled, first frame of an
animation, main picture of a HEIC file. The size is read from the header and bounded before a pixel
is decoded.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from pillow_heif import register_heif_opener

from fer_core.data.image_files import (
    DAMAGED,
    TOO_LARGE,
    fault,
    grey_or_rgb,
    known_formats,
    upright,
)

register_heif_opener(thumbnails=False)  # pictures as telephones store them

#: A telephone's 24 megapixels are below it; decoding as many takes 0.3 to 0.7 GB for a moment.
MAX_PIXELS = 25_000_000


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
    try:
        if image.format != "HEIF":  # opened at its main picture, which need not be the first
            image.seek(0)
        _bound_size(image, name)
        return np.array(grey_or_rgb(upright(image)).convert("RGB"))
    except PhotoError:  # is a ValueError, too, and has its own words
        raise
    except TOO_LARGE as error:
        raise PhotoError(f"{name} is too large ({error}); {_shrink()}") from error
    except DAMAGED as error:
        raise PhotoError(
            f"{name} is damaged or incomplete ({fault(error)}); "
            "copy or download it again, or save it anew as JPEG or PNG"
        ) from error


def _open(source: str | Path | bytes) -> tuple[str, Image.Image]:
    if isinstance(source, bytes):
        name, opened = "the picture", io.BytesIO(source)
        size = len(source)
    else:
        name, opened = Path(source).name or str(source), Path(source)
        if opened.is_dir():
            raise PhotoError(f"{source} is a folder; name pictures, as in {source}/*.jpg")
        if not opened.is_file():
            raise PhotoError(f"no picture at {source}; give the path of an image file")
        size = opened.stat().st_size
    if not size:
        raise PhotoError(f"{name} is empty (0 bytes); choose another file")
    try:
        return name, Image.open(opened, formats=[*known_formats(), "HEIF"])
    except TOO_LARGE as error:
        raise PhotoError(f"{name} is too large ({error}); {_shrink()}") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{name} is not a picture that can be read; "
            "give a JPEG, PNG, WebP, HEIC, GIF, BMP or TIFF"
        ) from error
    except DAMAGED as error:
        raise PhotoError(
            f"{name} cannot be read ({fault(error)}); save it anew as JPEG or PNG"
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


def _shrink() -> str:
    return f"save it with at most {MAX_PIXELS // 1_000_000} million pixels"
