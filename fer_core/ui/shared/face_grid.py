"""Faces side by side as one HTML grid: small pictures enlarged crisply, a caption under each.

Pictures travel inside the page as data URLs, so a redraw writes no file and the page does not jump.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

#: A stored picture larger than this is scaled down for the grid; its side in pixels.
_LARGEST_SIDE = 160
#: Below this side pixels are shown as squares instead of being blurred by the browser.
_CRISP_SIDE = 112


@dataclass(frozen=True)
class GridFace:
    """image: uint8 (H, W, 1 or 3). caption: bold line; detail: small line under it.

    colour: hex colour of a dot before the caption, or "". alt: what a screen reader says.
    """

    image: np.ndarray
    caption: str = ""
    detail: str = ""
    colour: str = ""
    alt: str = ""


def picture_url(image: np.ndarray) -> str:
    """A data URL of one picture, uint8 (H, W), (H, W, 1) or (H, W, 3)."""
    picture = Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    if max(picture.size) > _LARGEST_SIDE:
        picture.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def face_grid(faces: Sequence[GridFace], empty: str = "No face to show.") -> str:
    """HTML of the grid; the sentence `empty` when there is none. All texts are escaped."""
    if not faces:
        return f'<p class="note">{html.escape(empty)}</p>'
    crisp = max(faces[0].image.shape[:2]) <= _CRISP_SIDE
    cells = "".join(_cell(face) for face in faces)
    return f'<div class="face-grid{"" if crisp else " smooth"}">{cells}</div>'


def _cell(face: GridFace) -> str:
    dot = f'<span class="swatch" style="background:{face.colour}"></span>' if face.colour else ""
    text = html.escape(face.detail, quote=True)
    detail = f'<small title="{text}">{text}</small>' if face.detail else ""
    alt = html.escape(face.alt or face.caption or "a face", quote=True)
    caption = f"<figcaption>{dot}{html.escape(face.caption)}{detail}</figcaption>"
    if not face.caption and not face.detail:
        caption = ""
    return f'<figure><img src="{picture_url(face.image)}" alt="{alt}">{caption}</figure>'
