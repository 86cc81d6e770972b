"""Training faces as the detector finds them in made-up photographs, for `RunConfig.views`.

In use a network sees cuts by the detector's box (`align.READINGS`), of faces that may be turned,
dark, soft or compressed. A view is such a cut, upright at full size (`align.DEFAULT_MODE`), from
a ground that is an enlarged piece of another face, or plain, graded or blotchy: none of them is a
photograph of the study, on which the trained network is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from fer_core.comparison.photographs.conditions import (
    CONDITIONS,
    HEIGHT,
    WIDTH,
    photograph,
)
from fer_core.data.faces import DataError, Faces
from fer_core.data.views import Views
from fer_core.inference.align import align_face
from fer_core.inference.alignment_study import background, face_at
from fer_core.inference.detect import FaceDetector

#: Sides in pixels at which faces are pasted, small ones as often as ones of twice the size.
_SIDES = (40, 420)
_SHARE_OF_FACES = 0.6  # of the grounds, the rest are made of nothing
_TINT = 0.4


def found_views(
    faces: Faces,
    rows: np.ndarray,
    detector: FaceDetector,
    times: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Views:
    """Every image at `rows` (int (N,)) in `times` photographs, each in one of CONDITIONS, as far as
    the detector finds it there; uint8 as the set's images are.

    What becomes of an image depends on the seed and its own row alone, not on the other rows but
    for the grounds. DataError for a set whose images are not square, and where no face is found.
    """
    height, width = faces.image_size
    if height != width:
        raise DataError(f"views are square, the images of {faces.name} are {height} x {width}")
    if not len(rows):
        raise DataError(f"{faces.name} has no training images to make views of")
    found: list[np.ndarray] = []
    shown: list[int] = []
    for turn in range(times):
        for number, row in enumerate(rows):
            random = np.random.default_rng([seed, turn, int(row)])
            view = _view(faces, rows, int(row), detector, random)
            if view is not None:
                found.append(view)
                shown.append(int(row))
            if progress is not None:
                progress(turn * len(rows) + number + 1, times * len(rows))
    if not found:
        raise DataError(
            f"no face was found in {times * len(rows):,} photographs made of {faces.name}; views "
            "are made of pictures of whole faces"
        )
    return Views(np.stack(found), np.array(shown, dtype=np.int64))


def _view(
    faces: Faces,
    rows: np.ndarray,
    row: int,
    detector: FaceDetector,
    random: np.random.Generator,
) -> np.ndarray | None:
    """uint8 (S, S, C), or None where the detector misses the face."""

    def ground(random: np.random.Generator) -> Image.Image:
        if random.random() < _SHARE_OF_FACES:
            return _piece(faces.images[rows[random.integers(len(rows))]], random)
        return Image.fromarray(background(HEIGHT, WIDTH, random))

    condition = CONDITIONS[random.integers(len(CONDITIONS))]
    side = round(math.exp(random.uniform(*map(math.log, _SIDES))))
    made = photograph(faces.images[row], side, condition, random, ground)
    face = face_at(detector.detect(made.image), made.middle, made.side)
    if face is None:
        return None
    cut = align_face(made.image, face, faces.images.shape[1])
    return cut if faces.channels == 3 else np.asarray(Image.fromarray(cut).convert("L"))[..., None]


def _piece(image: np.ndarray, random: np.random.Generator) -> Image.Image:
    """A quarter to five sixths of an image's side, enlarged to the whole ground and tinted."""
    full = image.shape[0]
    side = int(random.integers(full // 4, full * 5 // 6))
    top, left = random.integers(0, full - side + 1, 2)
    piece = Image.fromarray(image[top : top + side, left : left + side].squeeze())
    piece = piece.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    if random.random() < 0.5:
        piece = piece.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    tint = 1 - random.uniform(0, _TINT, 3)
    pixels = np.asarray(piece.convert("RGB")) * tint
    return Image.fromarray(pixels.round().astype(np.uint8))
