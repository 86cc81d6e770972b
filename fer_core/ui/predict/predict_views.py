"""What a prediction looks like on the page: HTML for the picture, the face cards, and messages.

Pictures travel inside the HTML as data URIs, so what is drawn for a visitor is not written to disk.
Class names come from data sets that strangers made: everything is escaped.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from itertools import zip_longest

import numpy as np
from PIL import Image

from fer_core.comparison.wording import whole_percent
from fer_core.inference.draw import ink
from fer_core.inference.photo import read_photo
from fer_core.inference.predictor import (
    UNSURE_BELOW,
    FacePrediction,
    close_second,
    spoken_label,
)
from fer_core.labels import colour
from fer_core.ui.examples import Example
from fer_core.ui.predict.saves import saves_html

#: Longest side in pixels of a picture sent back to the page.
SHOWN_SIDE = 1100
#: At most so many faces get a card; all of them get a box.
MOST_CARDS = 24
#: Up to so many faces, a box says the label and its share; beyond, only the label where it is wide
#: enough. Of several faces each has the number of its card.
_SPOKEN_BOXES = 4
#: Percent of the picture's width that a number and one label need.
_WIDE = 9
_THUMBNAIL_SIDE = 220


def sentence(prediction: FacePrediction, unsure_below: float = UNSURE_BELOW) -> str:
    """What the model says of one face, in plain words (HTML): one label, or that it is unsure.

    Unsure: the strongest label holds less than `unsure_below` (0-1). Not clear: it holds more, but
    the next one is close (`close_second`).
    """
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    first, share = ranked[0]
    what = "This face" if prediction.box is not None else "The picture as a whole"
    if share < unsure_below:
        strongest = ", ".join(f"{escape(name)} {whole_percent(part)}" for name, part in ranked[:3])
        return f"Unsure: no expression reaches {whole_percent(unsure_below)} ({strongest})."
    second = close_second(prediction)
    if second:
        return (
            f"Not clear: between <strong>{escape(first)}</strong> ({whole_percent(share)}) "
            f"and <strong>{escape(second)}</strong> "
            f"({whole_percent(prediction.probabilities[second])})."
        )
    return f"{what} resembles <strong>{escape(first)}</strong> most ({whole_percent(share)})."


def prediction_html(
    image: np.ndarray,
    predictions: Sequence[FacePrediction],
    seconds: float,
    model: str,
    unsure_below: float = UNSURE_BELOW,
    below: Sequence[str] = (),
) -> str:
    """The picture with a box at each face and a card per face.

    image uint8 (H, W, 3) in which the boxes lie; seconds: how long finding and classifying took.
    below: HTML for the foot of the first cards.
    """
    shown = predictions[:MOST_CARDS]
    whole = any(prediction.box is None for prediction in predictions)
    count = len(predictions)
    if whole:
        square = image.shape[0] == image.shape[1]
        found = f"The {'whole picture' if square else 'middle of the picture'} was used as one face"
    else:
        found = _counted(count, "face") + " found"
    took = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    summary = f"{found} · {escape(model)} · {took}"
    cards = "".join(
        face_card(face, number, unsure_below, foot)
        for number, (face, foot) in enumerate(zip_longest(shown, below, fillvalue=""), start=1)
    )
    if count > len(shown):
        left = count - len(shown)
        cards += f'<p class="note">{_counted(left, "more face")} only in the picture.</p>'
    return (
        f'<div class="prediction{" many" if count > 2 else ""}"><p class="summary">{summary}</p>'
        f"{saves_html(image, predictions, unsure_below)}"
        f"{_picture(image, predictions, unsure_below)}"
        f'<div class="face-cards">{cards}</div></div>'
    )


def face_card(
    prediction: FacePrediction, number: int, unsure_below: float = UNSURE_BELOW, foot: str = ""
) -> str:
    """One face: as the model saw it, a sentence, and a bar for every class in the model's order.

    foot: HTML for the end of the card.
    """
    spoken, hue = spoken_label(prediction, unsure_below)
    side = prediction.face.shape[0]
    alt = f"Face {number} as the model saw it"
    return (
        f'<section class="face-card" style="--hue:{hue}" '
        f'aria-label="Face {number}: {escape(spoken)}">'
        f'<figure><img src="{data_uri(prediction.face, "PNG")}" alt="{alt}">'
        f"<figcaption>Face {number}, as the model sees it: {side} × {side} pixels</figcaption>"
        f'</figure><div><p class="says">{sentence(prediction, unsure_below)}</p>'
        f"{bars(prediction.probabilities)}</div>{foot}</section>"
    )


def bars(probabilities: dict[str, float]) -> str:
    """A labelled bar for every class, in the order given; the strongest one is set in bold."""
    top = max(probabilities, key=lambda name: probabilities[name])
    rows = "".join(
        f'<li{" class=top" if name == top else ""}><span class="name">{escape(name)}</span>'
        f'<span class="track" aria-hidden="true" style="--hue:{colour(name)}">'
        f'<i style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="share">{whole_percent(share)}</span></li>'
        for name, share in probabilities.items()
    )
    return f'<ul class="bars">{rows}</ul>'


def boxes(
    predictions: Sequence[FacePrediction],
    width: float,
    height: float,
    unsure_below: float = UNSURE_BELOW,
) -> str:
    """A labelled frame at each face, placed in percent of a picture of `width` × `height`."""
    parts = []
    for number, prediction in enumerate(predictions, start=1):
        if prediction.box is None:
            continue
        x0, y0, x1, y1 = prediction.box
        left, right = (100 * min(max(x, 0), width) / width for x in (x0, x1))
        top, bottom = (100 * min(max(y, 0), height) / height for y in (y0, y1))
        spoken, hue = spoken_label(prediction, unsure_below)
        label = escape(spoken)
        if len(predictions) <= _SPOKEN_BOXES:
            share = "" if spoken != prediction.label else f" {whole_percent(prediction.confidence)}"
            number_text = f"{number} " if len(predictions) > 1 else ""
            text = number_text + label + (f"<b>{share}</b>" if share else "")
        else:
            wide = right - left > (_WIDE if spoken == prediction.label else 2 * _WIDE)
            text = f"{number} {label}" if wide else str(number)
        side = (" low" if top < 9 else "") + (" right" if left > 65 else "")
        parts.append(
            f'<div class="face-box{side}" aria-hidden="true" style="--hue:{hue};--ink:{ink(hue)};'
            f"left:{left:.2f}%;top:{top:.2f}%;"
            f'width:{right - left:.2f}%;height:{bottom - top:.2f}%">'
            f"<span>{text}</span></div>"
        )
    return "".join(parts)


def examples_html(examples: Sequence[Example]) -> str:
    """Pictures to click; each is a button that carries its place in the list."""
    buttons = "".join(
        f'<button type="button" data-index="{index}"><img src="{_thumbnail(example)}" alt="">'
        f"<span>{escape(example.caption)}</span></button>"
        for index, example in enumerate(examples)
    )
    origins = " ".join(escape(example.origin) for example in examples if example.origin)
    return (
        f'<p class="note">Or click an example:</p><div class="examples">{buttons}</div>'
        f'<p class="note origins">{origins}</p>'
    )


def message(title: str, body: str, problem: bool = False) -> str:
    """A framed message. `title` is a text and escaped; `body` is HTML of this project's own."""
    kind = "message problem" if problem else "message"
    role = "alert" if problem else "status"
    return f'<div class="{kind}" role="{role}"><h2>{escape(title)}</h2>{body}</div>'


def problem(error: Exception) -> str:
    """The message of one of the project's own errors, framed; its text is escaped."""
    return message("That did not work", f"<p>{escape(str(error))}.</p>", problem=True)


def data_uri(image: np.ndarray, kind: str) -> str:
    """uint8 (H, W, 1) or (H, W, 3) as a data URI; kind: "PNG" (exact) or "JPEG" (small)."""
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"quality": 85} if kind == "JPEG" else {}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """uint8 (H, W, 3) with its longest side at most `longest` pixels, proportions kept."""
    height, width = image.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(
        Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
    )


def _picture(image: np.ndarray, predictions: Sequence[FacePrediction], unsure_below: float) -> str:
    height, width = image.shape[:2]
    said = "; ".join(
        f"{number}: {spoken_label(prediction, unsure_below)[0]} "
        f"{whole_percent(prediction.confidence)}"
        for number, prediction in enumerate(predictions, start=1)
    )
    alt = escape(f"Your picture with {_counted(len(predictions), 'face')} marked. {said}")
    source = data_uri(shrink(image, SHOWN_SIDE), "JPEG")
    return (
        f'<div><div class="seen"><img src="{source}" alt="{alt}">'
        f"{boxes(predictions, width, height, unsure_below)}</div></div>"
    )


def _thumbnail(example: Example) -> str:
    return data_uri(shrink(read_photo(example.path), _THUMBNAIL_SIDE), "JPEG")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")
