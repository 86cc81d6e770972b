"""Photographs for timing prediction: 640 x 480 pixels with one face and with six.

Made of the pictures that the project ships, so that every machine times the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from fer_core.inference.photo import read_photo
from fer_core.paths import REPOSITORY

WIDTH, HEIGHT = 640, 480
_PICTURES = REPOSITORY / "fer_core" / "ui" / "examples"
#: The portrait's head with some room around it, in pixels of astronaut.jpg (left, top, side).
_HEAD = (125, 5, 200)
#: Where the face lies in that square: its middle and its side as shares of the square.
_FACE_MIDDLE, _FACE_SIDE = (0.5, 0.56), 0.5
#: The six heads: left, top, side in pixels, mirrored, brightness.
_HEADS = (
    (10, 15, 200, False, 1.0),
    (222, 8, 210, True, 0.85),
    (440, 25, 190, False, 1.1),
    (14, 245, 215, True, 1.0),
    (236, 265, 195, False, 0.9),
    (438, 250, 200, True, 1.15),
)


@dataclass(frozen=True)
class Scene:
    """image: uint8 (480, 640, 3). faces: (x, y, side) of each face's middle, in pixels."""

    name: str
    image: np.ndarray
    faces: tuple[tuple[float, float, float], ...]

    def found(self, boxes: np.ndarray) -> int:
        """How many faces have the middle of a box (N, 4) within a third of their side."""
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2  # (N, 2)
        return sum(
            bool((np.hypot(middles[:, 0] - x, middles[:, 1] - y) <= side / 3).any())
            for x, y, side in self.faces
        )


def scenes() -> tuple[Scene, Scene]:
    """The scene with one face and the one with six."""
    return _portrait(), _group()


def _portrait() -> Scene:
    """The astronaut as a camera in front of a person would show her."""
    picture = Image.fromarray(read_photo(_PICTURES / "astronaut.jpg"))
    image = picture.crop((0, 0, 512, 384)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    scale = WIDTH / 512
    left, top, side = _HEAD
    x, y = left + side * _FACE_MIDDLE[0], top + side * _FACE_MIDDLE[1]
    return Scene("one face", np.array(image), ((x * scale, y * scale, side * scale * _FACE_SIDE),))


def _group() -> Scene:
    """Six times the same head, mirrored, larger or smaller, darker or brighter, before a cat."""
    left, top, side = _HEAD
    portrait = Image.fromarray(read_photo(_PICTURES / "astronaut.jpg"))
    head = portrait.crop((left, top, left + side, top + side))
    ground = Image.fromarray(read_photo(_PICTURES / "cat.jpg"))
    ground = ground.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    faces = []
    for x, y, size, mirrored, brightness in _HEADS:
        one = head.resize((size, size), Image.Resampling.BICUBIC)
        if mirrored:
            one = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mask = Image.new("L", (size, size), 0)
        mask.paste(255, (6, 6, size - 6, size - 6))
        mask = mask.filter(ImageFilter.GaussianBlur(3))
        ground.paste(ImageEnhance.Brightness(one).enhance(brightness), (x, y), mask)
        middle = (x + size * _FACE_MIDDLE[0], y + size * _FACE_MIDDLE[1])
        faces.append((*middle, size * _FACE_SIDE))
    return Scene("six faces", np.array(ground), tuple(faces))
