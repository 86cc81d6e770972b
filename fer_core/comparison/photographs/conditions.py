"""Photographs of 640 x 480 pixels with one face of known label in them, spoilt as cameras spoil.

The grounds are the two photographs that come with scikit-learn (`sklearn.datasets`), so that
nothing needs to be fetched.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_images

from fer_core.inference.alignment_study import lay_face

WIDTH, HEIGHT = 640, 480
#: Sides in pixels at which faces are pasted.
SIZES = (24, 32, 48, 64, 96, 160, 240, 400)
#: From this side on, a found face shall be named nearly as well as before it was pasted.
LARGE = 64

#: spoil(picture, side of the face in pixels, random) → the picture as the camera leaves it
Spoil = Callable[[Image.Image, int, np.random.Generator], Image.Image]

#: ground(random) → a picture of WIDTH x HEIGHT pixels
Ground = Callable[[np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Condition:
    """name: for people, with its strength. roll_degrees: the face is turned by up to this."""

    name: str
    roll_degrees: float
    spoil: Spoil


@dataclass(frozen=True)
class Photograph:
    """image: uint8 (480, 640, 3), or enlarged. middle: the face's (x, y). side: its, in pixels."""

    image: np.ndarray
    middle: tuple[float, float]
    side: int


def photograph(
    face: np.ndarray,
    side: int,
    condition: Condition,
    random: np.random.Generator,
    ground: Ground | None = None,
    enlarged: int = 1,
) -> Photograph:
    """One face (uint8 (h, w, 1 or 3)) at `side` pixels somewhere in a photograph.

    The same generator state gives the same pixels. ground: what it is pasted on, by default a part
    of scikit-learn's photographs; made `enlarged` times as wide and as high first, not the face.
    """
    check_side(side, enlarged)
    width, height = WIDTH * enlarged, HEIGHT * enlarged
    picture = (ground or _ground)(random)
    if enlarged > 1:
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left = int(random.integers(0, width - side + 1))
    top = int(random.integers(0, height - side + 1))
    lay_face(picture, face, side, (left, top), condition.roll_degrees, random)
    spoilt = condition.spoil(picture, side, random)
    return Photograph(np.array(spoilt), (left + side / 2, top + side / 2), side)


def check_side(side: int, enlarged: int = 1) -> None:
    """ValueError for a face of so many pixels that no photograph, enlarged or not, can hold."""
    if not 8 <= side <= HEIGHT * enlarged:
        raise ValueError(f"side must be 8 to {HEIGHT * enlarged} pixels, got {side}")


def _ground(random: np.random.Generator) -> Image.Image:
    """A part of one of the photographs, perhaps mirrored."""
    photographs = _photographs()
    whole = photographs[random.integers(len(photographs))]
    share = random.uniform(0.6, 1.0)
    width, height = int(whole.width * share), int(whole.width * share * HEIGHT / WIDTH)
    height = min(height, whole.height)
    left = int(random.integers(0, whole.width - width + 1))
    top = int(random.integers(0, whole.height - height + 1))
    part = whole.crop((left, top, left + width, top + height))
    part = part.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    if random.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part


@functools.cache
def _photographs() -> tuple[Image.Image, ...]:
    return tuple(Image.fromarray(image) for image in load_sample_images().images)


def _as_it_is(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
    return picture


def _dimmed(low: float, high: float, grain: float) -> Spoil:
    """A share of the light that is left, drawn from low to high, and the grain of a sensor."""

    def spoil(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
        light = np.asarray(picture, dtype=np.float32) * random.uniform(low, high)
        noise = random.normal(0, grain, light.shape)
        return Image.fromarray((light + noise).round().clip(0, 255).astype(np.uint8))

    return spoil


def _blurred(low: float, high: float) -> Spoil:
    """Out of focus by a standard deviation of low to high times the face's side."""

    def spoil(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
        return picture.filter(ImageFilter.GaussianBlur(side * random.uniform(low, high)))

    return spoil


def _compressed(low: int, high: int) -> Spoil:
    """JPEG of a quality from low to high."""

    def spoil(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(random.integers(low, high + 1)))
        return Image.open(buffer).convert("RGB")

    return spoil


def _tinted(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
    """Lamp light or cloudy light: red and blue weakened by up to 40 %, one of the two."""
    gains = np.ones(3, dtype=np.float32)
    gains[random.choice((0, 2))] = random.uniform(0.6, 0.9)
    gains[1] = (1 + gains.min()) / 2
    return Image.fromarray((np.asarray(picture) * gains).round().astype(np.uint8))


def _one_after_another(*steps: Spoil) -> Spoil:
    def spoil(picture: Image.Image, side: int, random: np.random.Generator) -> Image.Image:
        for step in steps:
            picture = step(picture, side, random)
        return picture

    return spoil


CONDITIONS = (
    Condition("as it is", 0, _as_it_is),
    Condition("turned by up to 30°", 30, _as_it_is),
    Condition("20 to 50 % of the light, grain of 4 levels", 0, _dimmed(0.2, 0.5, 4)),
    Condition("blurred by 1 to 3 % of the face's side", 0, _blurred(0.01, 0.03)),
    Condition("JPEG of quality 10 to 30", 0, _compressed(10, 30)),
    Condition("warm or cold light", 0, _tinted),
    Condition(
        "all of them, mildly",
        10,
        _one_after_another(
            _tinted, _blurred(0.005, 0.015), _dimmed(0.5, 0.9, 2), _compressed(40, 70)
        ),
    ),
)
