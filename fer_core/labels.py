"""Every class set: canonical names, their order, colours, synonyms, and mapping one set to another.

A label is the name of an expression as a person would call it, never a claim about a feeling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

#: FER2013's order: the position in this tuple is the number in the file.
FER2013_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

#: One colour per expression, everywhere in the product; readable on light and dark pages.
COLOURS = {
    "angry": "#d1495b",
    "disgust": "#6a994e",
    "fear": "#8e6bbf",
    "happy": "#e0a100",
    "sad": "#3d7fc1",
    "surprise": "#e8743b",
    "neutral": "#7d8597",
    "contempt": "#a0674b",
    "pain": "#b5446e",
}

#: Of an answer that names none of them.
UNSURE_COLOUR = "#8a8f98"

_SYNONYMS = {
    "anger": "angry",
    "mad": "angry",
    "disgusted": "disgust",
    "disgusting": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "smile": "happy",
    "smiling": "happy",
    "sadness": "sad",
    "unhappy": "sad",
    "surprised": "surprise",
    "suprise": "surprise",
    "amazed": "surprise",
    "calm": "neutral",
    "neutrality": "neutral",
    "none": "neutral",
    "natural": "neutral",
    "contemptuous": "contempt",
    "painful": "pain",
}


def canonical_name(name: str) -> str:
    """The one spelling of a class: lower case, trimmed, synonyms resolved; unknown ones kept."""
    plain = " ".join(str(name).strip().lower().replace("_", " ").replace("-", " ").split())
    return _SYNONYMS.get(plain, plain)


def ordered_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Canonical names without repeats: FER2013's classes first in their own order, then A to Z."""
    found = {canonical_name(name) for name in names}
    known = [name for name in FER2013_CLASSES if name in found]
    return (*known, *sorted(found - set(FER2013_CLASSES)))


def colour(name: str) -> str:
    """Hex colour of a class; an unknown class gets a fixed one derived from its name."""
    plain = canonical_name(name)
    if plain in COLOURS:
        return COLOURS[plain]
    hue = int(hashlib.sha256(plain.encode()).hexdigest(), 16) % 360
    return _hsl_to_hex(hue, 0.45, 0.5)


def map_classes(source: Sequence[str], target: Sequence[str]) -> tuple[int | None, ...]:
    """For each source class its index in `target`, or None without a counterpart."""
    positions = {canonical_name(name): index for index, name in enumerate(target)}
    return tuple(positions.get(canonical_name(name)) for name in source)


def _hsl_to_hex(hue: float, saturation: float, lightness: float) -> str:
    import colorsys

    red, green, blue = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
