"""Answers drawn: a picture with a box and a label per face; a face with what counts coloured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.inference.predictor import UNSURE_BELOW, FacePrediction, spoken_label
from fer_core.inference.saliency import Explanation

#: An average effect of so much, or more where there is more, is shown in the full colour.
_FULL_COLOUR = 0.05
_SHOWN_SIDE = 208
#: Told apart by people with any of the usual colour weaknesses (Okabe and Ito 2008).
_LOSES = np.array([230, 120, 0], dtype=np.float32)
_GAINS = np.array([0, 114, 178], dtype=np.float32)


def draw_predictions(
    image: np.ndarray,
    predictions: Sequence[FacePrediction],
    long_side: int | None = None,
    unsure_below: float = UNSURE_BELOW,
) -> np.ndarray:
    """uint8 (H, W, 3) with boxes and labels; the given picture stays as it is.

    Several faces have their numbers. long_side: pixels to which a larger picture is reduced first.
    unsure_below: probability under which a label is not named. The label of a whole picture stands
    in its upper left corner.
    """
    height, width = image.shape[:2]
    scale = min(1.0, (long_side or max(height, width)) / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = Image.fromarray(image).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    pen = ImageDraw.Draw(picture)
    for number, prediction in enumerate(predictions, start=1):
        box = prediction.box or (0.0, 0.0, float(width), float(height))
        label, hue = spoken_label(prediction, unsure_below)
        text = f"{label} {prediction.confidence:.0%}" if label == prediction.label else label
        text = f"{number} {text}" if len(predictions) > 1 else text
        framed = prediction.box is not None
        _draw_face(pen, text, hue, [edge * scale for edge in box], size, framed)
    return np.array(picture)


def draw_explanation(face: np.ndarray, explanation: Explanation) -> np.ndarray:
    """uint8 (S, S, C) → uint8 (208, 208, 3): the grey face, orange where a cover takes
    probability from the explained class, blue where it adds some, the strongest cover outlined."""
    size = (_SHOWN_SIDE, _SHOWN_SIDE)
    grey = Image.fromarray(face[..., 0] if face.shape[2] == 1 else face).convert("L")
    base = np.asarray(grey.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)[..., None]
    effect = np.asarray(
        Image.fromarray(explanation.effect).resize(size, Image.Resampling.BILINEAR)
    )[..., None]
    strength = np.abs(effect) / max(float(np.abs(explanation.effect).max()), _FULL_COLOUR)
    hue = np.where(effect >= 0, _LOSES, _GAINS)
    mixed = base * (1 - 0.7 * strength) + hue * 0.7 * strength
    picture = Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
    if explanation.decisive:
        scale, cover = _SHOWN_SIDE / face.shape[0], explanation.strongest
        left, top = cover.left * scale, cover.top * scale
        right, bottom = left + cover.side * scale - 1, top + cover.side * scale - 1
        pen = ImageDraw.Draw(picture)
        pen.rectangle([left, top, right, bottom], outline=(0, 0, 0), width=4)
        pen.rectangle([left + 1, top + 1, right - 1, bottom - 1], outline="white", width=2)
    return np.asarray(picture)


def _draw_face(
    pen: ImageDraw.ImageDraw,
    text: str,
    hue: str,
    box: Sequence[float],
    size: tuple[int, int],
    framed: bool,
) -> None:
    line = max(2, round(min(size) / 250))
    if framed:
        pen.rectangle(list(box), outline=hue, width=line)
    # readable beside a large face, not larger than a small one
    font_size = min(max(min(size) / 28, 12), max((box[2] - box[0]) / 5, 12))
    font = ImageFont.load_default(size=font_size)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = font_size / 4
    tall, wide = bottom - top + 2 * pad, right - left + 2 * pad
    x = min(max(box[0], 0), max(size[0] - wide, 0))
    y = box[1] - tall if box[1] >= tall else max(box[1], 0)  # inside the box where none is above
    pen.rectangle([x, y, x + wide, y + tall], fill=hue)
    pen.text((x + pad - left, y + pad - top), text, font=font, fill=ink(hue))


def ink(background: str) -> str:
    """Black or white, whichever reads better on a hex colour (contrast as in WCAG 2)."""
    parts = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"
