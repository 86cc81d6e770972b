"""The second built-in set: 1,198 drawn faces in colour, six classes with pain among them.

Class sizes are those of the photographs of reference system E, which are not public; the faces are
drawn as `synthetic` draws them, each person once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fer_core.data.faces import Faces
from fer_core.data.synthetic import draw_face

SOURCE = "drawn:six"
IMAGE_SIZE = 224
CHANNELS = 3

#: Images per class of system E, in the order of `labels.ordered_classes`.
COUNTS = {"angry": 214, "disgust": 199, "fear": 163, "happy": 230, "sad": 224, "pain": 168}

#: Seeds of the faces start here, far from those of any other drawn set.
_FIRST_SEED = 600_000


def draw_six_classes(
    image_size: int = IMAGE_SIZE,
    channels: int = CHANNELS,
    progress: Callable[[int, int], None] | None = None,
) -> Faces:
    """1,198 faces in a fixed random order, without a split of their own.

    image_size: side in pixels, 16 to 1024. channels: 1 grey, 3 colour (the same faces).
    progress: called with (drawn, count) now and then. Raises DataError for values that cannot be.
    """
    total = count()
    images = np.empty((total, image_size, image_size, channels), dtype=np.uint8)
    for row in range(total):
        draw_row(images, row)
        if progress and (row % 25 == 24 or row == total - 1):
            progress(row + 1, total)
    return as_six_classes(images)


def count() -> int:
    return sum(COUNTS.values())


def draw_row(images: np.ndarray, row: int) -> None:
    """Fill a row of uint8 (1198, S, S, C) with the face of this number."""
    size, channels = images.shape[1], images.shape[3]
    face = draw_face(tuple(COUNTS)[_labels()[row]], _FIRST_SEED + row, size, channels)
    images[row] = face.reshape(size, size, channels)


def as_six_classes(images: np.ndarray) -> Faces:
    """The set whose images (uint8 (1198, S, S, C)) `draw_row` has drawn."""
    return Faces(
        images=images,
        labels=_labels(),
        ids=np.array([f"drawn six/{index}" for index in range(len(images))]),
        class_names=tuple(COUNTS),
        name="drawn faces, six classes in colour",
        source=SOURCE,
    )


def _labels() -> np.ndarray:
    """int64 (1198,), places in COUNTS, mixed."""
    ordered = np.repeat(np.arange(len(COUNTS)), list(COUNTS.values()))
    return np.random.default_rng(_FIRST_SEED).permutation(ordered)
