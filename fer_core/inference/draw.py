"""A picture with its predictions drawn on it: a box and a label per face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.inference.predictor import FacePrediction
from fer_core.labels import colour


def draw_predictions(
    image: np.ndarray, predictions: Sequence[FacePrediction], long_side: int | None = None
) -> np.ndarray:
    """uint8 (H, W, 3) with boxes and labels; the given picture stays as it is.

    long_side: pixels to which a larger picture is reduced first. The label of a whole picture
    stands in its upper left corner.
    """
    height, width = image.shape[:2]
    scale = min(1.0, (long_side or max(height, width)) / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = Image.fromarray(image).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    pen = ImageDraw.Draw(picture)
    for prediction in predictions:
        box = prediction.box or (0.0, 0.0, float(width), float(height))
        _draw_face(pen, prediction, [edge * scale for edge in box], size)
    return np.array(picture)


def _draw_face(
    pen: ImageDraw.ImageDraw,
    prediction: FacePrediction,
    box: Sequence[float],
    size: tuple[int, int],
) -> None:
    hue = colour(prediction.label)
    line = max(2, round(min(size) / 250))
    if prediction.box is not None:
        pen.rectangle(list(box), outline=hue, width=line)
    text = f"{prediction.label} {prediction.confidence:.0%}"
    # readable beside a large face, not larger than a small one
    font_size = min(max(min(size) / 28, 12), max((box[2] - box[0]) / 5, 12))
    font = ImageFont.load_default(size=font_size)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = font_size / 4
    tall, wide = bottom - top + 2 * pad, right - left + 2 * pad
    x = min(max(box[0], 0), max(size[0] - wide, 0))
    y = box[1] - tall if box[1] >= tall else max(box[1], 0)  # inside the box where none is above
    pen.rectangle([x, y, x + wide, y + tall], fill=hue)
    pen.text((x + pad - left, y + pad - top), text, font=font, fill=_ink(hue))


def _ink(background: str) -> str:
    """Black or white, whichever stands out more (relative luminance as in WCAG 2)."""
    channels = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"
