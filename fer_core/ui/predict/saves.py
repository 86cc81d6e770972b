"""What a visitor can keep of an answer: the marked picture and a table, as links that hold them.

The boxes on the page lie over the picture, so that saving the picture there saves none of them.
Nothing is written to the server's disk.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fer_core.inference.draw import draw_predictions
from fer_core.inference.predictor import FacePrediction, spoken_label

#: Longest side in pixels of the picture that is kept.
_KEPT_SIDE = 1100


def saves_html(
    image: np.ndarray, predictions: Sequence[FacePrediction], unsure_below: float
) -> str:
    """Two links. image: uint8 (H, W, 3), in which the boxes lie."""
    marked = Image.fromarray(draw_predictions(image, predictions, _KEPT_SIDE, unsure_below))
    picture = io.BytesIO()
    marked.save(picture, "JPEG", quality=88)
    table = table_csv(predictions, unsure_below).encode()
    return (
        '<p class="saves">Save '
        f"{_link(picture.getvalue(), 'image/jpeg', 'expressions.jpg', 'the marked picture')} or "
        f"{_link(table, 'text/csv', 'expressions.csv', 'a table')}</p>"
    )


def table_csv(predictions: Sequence[FacePrediction], unsure_below: float) -> str:
    """A line per face: number, answer, the strongest label, its box, every class's probability.

    The box is left empty where the whole picture was taken as the face.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    names = list(predictions[0].probabilities) if predictions else []
    lines.writerow(["face", "answer", "label", "x0", "y0", "x1", "y1", *map(_cell, names)])
    for number, face in enumerate(predictions, start=1):
        box = ["", "", "", ""] if face.box is None else [f"{edge:.1f}" for edge in face.box]
        said = _cell(spoken_label(face, unsure_below)[0])
        shares = [f"{face.probabilities[name]:.4f}" for name in names]
        lines.writerow([number, said, _cell(face.label), *box, *shares])
    return text.getvalue()


def _cell(name: str) -> str:
    """A class name as text: what begins like a formula would be computed by a spreadsheet."""
    return f"'{name}" if name[:1] in "=+-@\t\r" and name else name


def _link(content: bytes, kind: str, name: str, text: str) -> str:
    encoded = base64.b64encode(content).decode()
    return f'<a download="{name}" href="data:{kind};base64,{encoded}">{text}</a>'
