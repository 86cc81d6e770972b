"""Image components that hand over what arrived undecoded, for `inference.photo` to judge.

`gr.Image` opens a picture with Pillow before any handler runs: an unreadable file then shows as an
error without words, and a frame of the camera would be written to disk.
"""

from __future__ import annotations

import base64
import binascii
import threading
from typing import Any

import gradio as gr
import numpy as np

from fer_core.inference.photo import PhotoError, read_photo

#: A picture that comes inside the request, in base64 characters: 32 MB of file.
_LONGEST_DATA_URL = 44_000_000
#: Pictures that are opened and looked at at the same time; the largest takes up to 0.7 GB. A
#: request that is posted directly goes past the limits of Gradio's queue, so it is held here.
PICTURES_AT_ONCE = threading.BoundedSemaphore(2)
#: In the page: where a browser has no decoder for an upload (HEIC, TIFF), words stand in the place
#: of a broken picture. What the model reads is the file, which it can.
SAY_WHAT_CANNOT_BE_SHOWN = """
() => document.addEventListener('error', ({ target }) => {
  if (target.tagName !== 'IMG' || !target.closest('.photo-input')) return;
  const words = ['Your browser cannot', 'show this kind of file.'];
  const lines = words.map((line, place) =>
    `<text x="160" y="${112 + 24 * place}" text-anchor="middle">${line}</text>`);
  target.src = 'data:image/svg+xml,' + encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240" fill="#808080"
      font-family="sans-serif" font-size="18">${lines.join('')}</svg>`);
}, true)
"""


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
