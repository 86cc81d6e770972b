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
    names = tuple(COUNTS)
    ordered = np.repeat(np.arange(len(names)), list(COUNTS.values()))
    labels = np.random.default_rng(_FIRST_SEED).permutation(ordered)
    count = len(labels)
    images = np.empty((count, image_size, image_size, channels), dtype=np.uint8)
    for index, label in enumerate(labels):
        face = draw_face(names[label], _FIRST_SEED + index, image_size, channels)
        images[index] = face.reshape(image_size, image_size, channels)
        if progress and (index % 25 == 24 or index == count - 1):
            progress(index + 1, count)
    return Faces(
        images=images,
        labels=labels,
        ids=np.array([f"drawn six/{index}" for index in range(count)]),
        class_names=names,
        name="drawn faces, six classes in colour",
        source=SOURCE,
    )
