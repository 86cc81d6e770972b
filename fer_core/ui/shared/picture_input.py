"""Image components that hand over what arrived undecoded, for `inference.photo` to judge.

`gr.Image` opens a picture with Pillow before any handler runs: an unreadable file then shows as an
error without words, and a frame of the camera would be written to disk.
"""

from __future__ import annotations

import base64
import binascii
import io
import threading
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData
from PIL import Image

from fer_core.inference.photo import PhotoError, picture_format, read_photo

#: A picture that comes inside the request, in base64 characters: 32 MB of file.
_LONGEST_DATA_URL = 44_000_000
#: Pictures that are opened and looked at at the same time; the largest takes some 300 MB. A request
#: that is posted directly goes past the limits of Gradio's queue, so it is held here.
PICTURES_AT_ONCE = threading.BoundedSemaphore(2)
#: What browsers show of themselves. Others come back to the page as JPEG, at most so many pixels
#: wide and high, which is more than the search for faces takes.
_SHOWN = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "AVIF")
_PREVIEW_SIDE = 2560


class PhotoInput(gr.Image):
    """`gr.Image` for photos from outside: handlers get a path, or bytes, or None, never pixels."""

    # Gradio shows it as the component it inherits from, and reads its settings off the parent's
    # constructor: this class must not have one of its own.
    is_template = True

    def preprocess(self, payload: Any) -> str | bytes | None:
        """The stored file's path, or the bytes of a data URL."""
        if payload is None:
            return None
        url = payload.url or ""
        if url.startswith("data:"):
            try:
                return picture_bytes(url)
            except PhotoError as error:  # no handler of ours runs before this, to say it in words
                raise gr.Error(f"{error}.", print_exception=False) from error
        return payload.path

    def postprocess(self, value: Any) -> Any:
        """Bytes of a JPEG go to the page inside the answer, without a file; else as `gr.Image`."""
        if isinstance(value, bytes):
            return ImageData(url="data:image/jpeg;base64," + base64.b64encode(value).decode())
        return super().postprocess(value)

    def show_any_format(self) -> None:
        """Call it where the component stands: an upload that browsers cannot show is replaced by a
        JPEG of it."""
        self.upload(
            _shown_by_browsers,
            self,
            self,
            show_progress="hidden",
            concurrency_limit=2,
            api_visibility="private",
        )


def _shown_by_browsers(source: str | bytes | None) -> Any:
    """The bytes of a JPEG for a file such as TIFF or HEIC; no update for what browsers show, and
    for what cannot be read, of which the tab says so."""
    try:
        if not isinstance(source, str) or picture_format(source) in _SHOWN:
            return gr.skip()
        with PICTURES_AT_ONCE:
            picture = Image.fromarray(read_photo(source))
            picture.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE), Image.Resampling.LANCZOS)
    except PhotoError:
        return gr.skip()
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92)
    return file.getvalue()


def read_picture(source: str | bytes | None) -> np.ndarray:
    """uint8 (H, W, 3) of what a `PhotoInput` handed over. PhotoError says what to do."""
    if not source:
        raise PhotoError("no picture was given; upload one, take one, or choose an example")
    return read_photo(source)


def picture_bytes(url: object, longest: int = _LONGEST_DATA_URL) -> bytes:
    """The file inside a data URL of at most `longest` characters. PhotoError for anything else."""
    if not isinstance(url, str):  # an endpoint for browsers is posted to by others, too
        raise PhotoError(f"a picture must come as a data URL, got {type(url).__name__}")
    if len(url) > longest:
        raise PhotoError(
            f"the picture is larger than {longest * 3 / 4 / 1e6:.0f} MB; save it smaller"
        )
    try:
        return base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise PhotoError("the picture's data URL is not base64; choose it again") from error
