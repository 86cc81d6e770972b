"""The built-in data set: drawn faces with known expressions, the same for the same seed.

Nothing is downloaded. Face number i depends on (seed, i) alone, not on how many are drawn: a
smaller set is the beginning of a larger one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fer_core.data.drawn.action_units import (
    Movement,
    checked_expression,
    checked_units,
    sample_movement,
)
from fer_core.data.drawn.canvas import Canvas
from fer_core.data.drawn.face import face_layers
from fer_core.data.drawn.hair import beard_layers, behind_layers, front_layers
from fer_core.data.drawn.identity import Identity, View, sample_identity, sample_view, studio_view
from fer_core.data.faces import DataError, Faces
from fer_core.labels import FER2013_CLASSES

DRAWN_COUNT = 7000
IMAGE_SIZES = (16, 1024)

#: Ten faces of a class in a row: seven train, one validates, two test.
_SPLIT_OF_TEN = np.array(["train"] * 4 + ["test"] + ["train"] * 3 + ["validation", "test"])


def draw_faces(
    count: int = DRAWN_COUNT,
    image_size: int = 48,
    seed: int = 0,
    channels: int = 1,
    class_names: tuple[str, ...] = FER2013_CLASSES,
    progress: Callable[[int, int], None] | None = None,
) -> Faces:
    """A data set of drawn faces, classes in turn, split 70/10/20 % within each class.

    image_size: side in pixels, 16 to 1024. channels: 1 grey, 3 colour (the same faces).
    progress: called with (drawn, count) now and then. Raises DataError for values that cannot be.
    """
    expressions = tuple(checked_expression(name) for name in class_names)
    if not expressions or len(set(expressions)) < len(expressions):
        raise DataError(f"class_names must be at least one, none of them twice, got {class_names}")
    check_drawing(image_size, channels, seed)
    if count < 1:
        raise DataError(f"the number of drawn faces must be at least 1, got {count}")
    images = np.empty((count, image_size, image_size, channels), dtype=np.uint8)
    for index in range(count):
        draw_row(images, index, seed, expressions)
        if progress and (index % 100 == 99 or index == count - 1):
            progress(index + 1, count)
    return as_drawn_set(images, seed, expressions)


def draw_row(
    images: np.ndarray,
    row: int,
    seed: int = 0,
    expressions: tuple[str, ...] = FER2013_CLASSES,
) -> None:
    """Fill a row of uint8 (N, S, S, C) with the face of this number; see `draw_faces`."""
    random = np.random.default_rng((seed, row))
    size, channels = images.shape[1], images.shape[3]
    images[row] = _draw(expressions[row % len(expressions)], random, size, channels)


def as_drawn_set(
    images: np.ndarray, seed: int = 0, expressions: tuple[str, ...] = FER2013_CLASSES
) -> Faces:
    """The set whose images (uint8 (N, S, S, C)) `draw_row` has drawn."""
    count = len(images)
    numbers = np.arange(count)
    source = "drawn" if count == DRAWN_COUNT else f"drawn:{count}"
    return Faces(
        images=images,
        labels=numbers % len(expressions),
        ids=np.array([f"drawn {seed}/{index}" for index in numbers]),
        class_names=expressions,
        source_split=_SPLIT_OF_TEN[numbers // len(expressions) % 10],
        name="drawn faces",
        source=source if seed == 0 and expressions == FER2013_CLASSES else "",
    )


def draw_face(
    expression: str,
    seed: int,
    image_size: int,
    channels: int = 1,
    portrait: bool = False,
    action_units: Mapping[int, float] | None = None,
) -> np.ndarray:
    """One drawn face, uint8 (S, S) in grey or (S, S, 3) in colour.

    portrait: frontal, evenly lit, with shoulders and a plain ground, instead of a random picture.
    action_units: FACS number → strength 0-1, drawn instead of a random sample of the expression.
    Raises DataError for an unknown expression, action unit, size or number of channels.
    """
    expression = checked_expression(expression)
    check_drawing(image_size, channels, seed)
    movement = None
    if action_units is not None:
        units = checked_units(action_units)
        movement = Movement(units, units)
    random = np.random.default_rng((seed, 0))
    image = _draw(expression, random, image_size, channels, portrait, movement)
    return image[..., 0] if channels == 1 else image


def _draw(
    expression: str,
    random: np.random.Generator,
    image_size: int,
    channels: int,
    portrait: bool = False,
    movement: Movement | None = None,
) -> np.ndarray:
    """uint8 (S, S, C). The order of the draws from `random` is part of the data set."""
    identity = sample_identity(random)
    view = sample_view(random)
    sampled = sample_movement(expression, random)
    gaze = random.normal(0, 0.45, 2).clip(-1, 1)
    if portrait:
        view, gaze = studio_view(identity), 0.3 * gaze
    return _paint(identity, view, movement or sampled, gaze, random, image_size, channels)


def _paint(
    identity: Identity,
    view: View,
    movement: Movement,
    gaze: np.ndarray,
    random: np.random.Generator,
    image_size: int,
    channels: int,
) -> np.ndarray:
    canvas = Canvas(image_size, channels, view)
    skin, features = face_layers(identity, movement, view, gaze)
    canvas.paint(
        [
            *behind_layers(identity, view, random),
            *skin,
            *beard_layers(identity, movement),
            *features,
            *front_layers(identity, movement, view, random),
        ]
    )
    return canvas.finish(random)


def check_drawing(image_size: int, channels: int, seed: int = 0) -> None:
    """DataError for a size, number of channels or seed that cannot be."""
    low, high = IMAGE_SIZES
    if not low <= image_size <= high:
        raise DataError(f"image_size must be {low} to {high} pixels, got {image_size}; try 48")
    if channels not in (1, 3):
        raise DataError(f"channels must be 1 (grey) or 3 (colour), got {channels}")
    if seed < 0:
        raise DataError(f"seed must be 0 or more, got {seed}")
