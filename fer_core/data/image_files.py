"""What every reader of image files needs: formats, faults, and any colour mode as plain pixels.

Used for the pictures of a data set and for a visitor's photo alike; bounds on size, and the words
in which a picture is refused, are theirs.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

#: What is opened at all. Left out on purpose: formats that run a program to be drawn (EPS, WMF),
#: and icons, which Pillow decodes as it opens them, before anyone can ask for their size.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")

#: What Pillow's decoders raise on damaged files, besides OSError.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError),
    *(AttributeError, AssertionError, MemoryError, RuntimeError, struct.error, zlib.error),
)
#: What Pillow raises for a picture of more pixels than it opens; a warning where those are errors.
TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def known_formats() -> list[str]:
    """Names for `Image.open(formats=…)`, of those that this computer's Pillow can read."""
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF tag says; as it is where that cannot be read.

    Decodes what is not decoded yet, so that a damaged picture is not taken for a damaged tag.
    """
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except DAMAGED:
        return image


def grey_or_rgb(image: Image.Image) -> Image.Image:
    """Any colour mode as "L" or "RGB": transparency on white, 16 bits scaled to 8."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits, which Pillow would clip to white
        return Image.fromarray(_eight_bit(np.asarray(image)))
    if image.has_transparency_data:
        see_through = image.convert("RGBA")
        white = Image.new("RGBA", see_through.size, "white")
        return Image.alpha_composite(white, see_through).convert("RGB")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return _lab_to_rgb(image) if image.mode == "LAB" else image.convert("RGB")


def _eight_bit(grey: np.ndarray) -> np.ndarray:
    """Grey of any depth (H, W) → uint8 (H, W); white is told by type and largest value."""
    values = np.nan_to_num(grey.astype(np.float64))
    top = values.max(initial=0)
    whites = (1.0, 255.0, 65535.0) if grey.dtype.kind == "f" else (255.0, 65535.0)
    white = next((white for white in whites if top <= white), top)
    return (values.clip(0, white) * (255 / white)).round().astype(np.uint8)


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")


def fault(error: BaseException) -> str:
    """Pillow's own words, one short line."""
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
