"""Finds faces: a picture uint8 (H, W, 3) in, boxes with five landmarks in its own pixels out.

MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks") with the weights that facenet-pytorch packages, run by `cascade`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from fer_core.cores import one_core
from fer_core.inference.cascade import Cascade, CascadeSettings

#: A picture is searched at this long side first, in pixels, for faces from a thirteenth of it on.
FIRST_SIDE = 320
#: Then at this one, when no face was found or one so small that smaller ones may be beside it.
_SECOND_SIDE = 640
#: A picture that is larger still, at last, at this one: faces in the distance, of which the
#: smallest that can be seen have a sixty-fourth of it.
LONG_SIDE = 1280
#: Least score of a face, the third network's own threshold in facenet-pytorch.
MIN_CONFIDENCE = 0.7
#: At most this many faces are returned, the largest.
MAX_FACES = 50

#: The second look, for a face that fills the picture: side in pixels, and border as a share of it.
_CLOSE_SIDE = 160
_CLOSE_BORDER = 0.25
_SMALLEST_PICTURE = 12  # pixels
#: Smallest face of the first search and of the second, in pixels of the reduced picture; MTCNN's
#: first network sees nothing finer than a face of 12.
_SMALLEST_FIRST = 24
_SMALLEST = 20
#: A face of less than so many times the smallest one calls for the second search.
_SMALL = 1.5
#: A face in the distance counts when it is found again in the square of so many times its side
#: around it, brought to so many pixels, with this score and about there: its middle within so much
#: of its side. Beside a box that shares as much with it as the last says, it is the same face.
_CLOSER, _CLOSER_SIDE, _SURE, _THERE, _SAME = 3, 56, 0.9, 0.4, 0.3

#: Chosen on 450 PublicTest faces pasted at 64 to 240 pixels, see results/experiments.md.
SETTINGS = CascadeSettings(
    thresholds=(0.6, 0.6, MIN_CONFIDENCE), overlaps=(0.5, 0.7, 0.6, 0.7), sure=0.95
)


@dataclass(frozen=True)
class FaceBox:
    """One found face, in pixels of the picture; it may reach over the picture's edge.

    box: (x0, y0, x1, y1). landmarks: float32 (5, 2) as (x, y): the eye on the left of the picture,
    the eye on its right, nose, the mouth's left corner, its right corner. confidence: 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    confidence: float

    @property
    def size(self) -> float:
        """Side in pixels of the square with the box's area."""
        x0, y0, x1, y1 = self.box
        return float(np.sqrt(max(x1 - x0, 0) * max(y1 - y0, 0)))

    @property
    def middle(self) -> np.ndarray:
        """(x, y) of the box's middle."""
        return (np.array(self.box[:2]) + self.box[2:]) / 2

    def moved(self, right: float, down: float) -> FaceBox:
        """The same face in a picture that begins so many pixels further to the left and above."""
        x0, y0, x1, y1 = self.box
        box = (x0 + right, y0 + down, x1 + right, y1 + down)
        landmarks = (self.landmarks + np.array((right, down))).astype(np.float32)
        return FaceBox(box, landmarks, self.confidence)


class FaceDetector:
    """Loads its networks at the first call; may be asked by several threads at once."""

    def __init__(
        self,
        device: str = "cpu",
        min_confidence: float = MIN_CONFIDENCE,
        settings: CascadeSettings = SETTINGS,
    ) -> None:
        self.device = device
        self.min_confidence = min_confidence
        self.settings = settings
        self._cascade: Cascade | None = None
        self._lock = threading.Lock()

    def detect(
        self,
        image: np.ndarray,
        min_face: float | None = None,
        long_side: int = LONG_SIDE,
        close_up: bool = False,
    ) -> list[FaceBox]:
        """Faces of `image` (uint8 (H, W, 3)), the largest first; empty when there is none.

        min_face: smallest face looked for, in pixels of `image`. By default 20 pixels of the
        picture reduced to 1,280, where it has more than 640: there may be faces far behind the near
        ones. In others a thirteenth of the long side, and a thirty-second where the first search
        found nothing or a small face. long_side: pixels to which a larger picture is
        reduced at most; FIRST_SIDE leaves out the later searches. Without a face at first, the
        picture is looked at again with a border around it, where a face that fills it is found (the
        other way round for a picture of fewer than 160 pixels). close_up: only that way.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            got = f"{image.dtype} {image.shape}"
            raise ValueError(f"image must be uint8 (H, W, 3), got {got}; use photo.read_photo")
        if min(image.shape[:2]) < _SMALLEST_PICTURE:
            return []
        if close_up:
            faces = self._search_close(image)
        elif max(image.shape[:2]) < _CLOSE_SIDE:  # too few pixels for a face not to fill it
            faces = self._search_close(image) or self._search_wide(image, min_face, long_side)
        else:
            faces = self._search_wide(image, min_face, long_side) or self._search_close(image)
            faces = self._search_far(image, min_face, long_side, faces)
        return [face for face in faces if face.size >= (min_face or 0)]

    def _search_wide(
        self, image: np.ndarray, min_face: float | None, long_side: int
    ) -> list[FaceBox]:
        longest, wanted = max(image.shape[:2]), min_face or 0
        scale = min(1.0, min(FIRST_SIDE, long_side) / longest)
        smallest = _SMALLEST_FIRST if longest * scale >= _CLOSE_SIDE else _SMALLEST
        faces = self._search(_resize(image, scale), max(smallest, wanted * scale), scale, 0.0)
        finer = min(1.0, min(_SECOND_SIDE, long_side) / longest)
        if finer == scale or wanted * scale > smallest:
            return faces
        if faces and faces[-1].size * scale >= _SMALL * _SMALLEST_FIRST:
            return faces
        smallest = max(_SMALLEST, wanted * finer)
        return self._search(_resize(image, finer), smallest, finer, 0.0) or faces

    def _search_far(
        self,
        image: np.ndarray,
        min_face: float | None,
        long_side: int,
        faces: list[FaceBox],
    ) -> list[FaceBox]:
        """`faces` and those so far away that no search before could see them."""
        longest, wanted = max(image.shape[:2]), min_face or 0
        scale, before = (min(1.0, side / longest) for side in (long_side, _SECOND_SIDE))
        if scale <= before or wanted * before > _SMALLEST:
            return faces
        far = self._search(_resize(image, scale), max(_SMALLEST, wanted * scale), scale, 0.0)
        kept = list(faces)
        for face in far:
            seen = None if _is_among(face, kept) else self._look_closer(image, face)
            if seen is not None and not _is_among(seen, kept):
                kept.append(seen)
        kept.sort(key=lambda face: face.size, reverse=True)
        return kept[:MAX_FACES]

    def _look_closer(self, image: np.ndarray, face: FaceBox) -> FaceBox | None:
        """The face as it is found in its own part of the picture; None where it is not."""
        middle, size = face.middle, max(face.size, 1.0)
        reach, (height, width) = size * _CLOSER / 2, image.shape[:2]
        left, top = np.clip(middle - reach, 0, (width - 1, height - 1)).astype(int).tolist()
        right, bottom = np.maximum(middle + reach, (left + 1, top + 1)).astype(int).tolist()
        scale = _CLOSER_SIDE / size
        part = _resize(image[top:bottom, left:right], scale)
        for seen in self._search(part, _CLOSER_SIDE * 0.6, scale, 0.0):
            moved = seen.moved(left, top)
            distance = float(np.hypot(*(moved.middle - middle)))
            if seen.confidence >= _SURE and distance <= _THERE * size:
                return moved
        return None

    def _search_close(self, image: np.ndarray) -> list[FaceBox]:
        """A face that fills the picture touches its edges; MTCNN finds it only with room around."""
        scale = _CLOSE_SIDE / max(image.shape[:2])
        border = round(_CLOSE_SIDE * _CLOSE_BORDER)
        small = _resize(image, scale)
        height, width = (length + 2 * border for length in small.shape[:2])
        room = np.full((height, width, 3), int(small.mean()), dtype=np.uint8)
        room[border:-border, border:-border] = small
        return self._search(room, _CLOSE_SIDE * 0.35, scale, border)

    def _search(
        self, image: np.ndarray, smallest: float, scale: float, border: float
    ) -> list[FaceBox]:
        """Faces of a reduced and bordered picture, in pixels of the picture before both."""
        cascade = self._loaded()
        with one_core(max(image.shape[:2]) <= FIRST_SIDE):  # the later searches gain by several
            boxes, scores, landmarks = cascade.find(image, smallest)
        found = [
            FaceBox(
                tuple(float(edge) for edge in (box.astype(np.float64) - border) / scale),
                ((points.astype(np.float64) - border) / scale).astype(np.float32),
                float(score),
            )
            for box, score, points in zip(boxes, scores, landmarks, strict=True)
            if score >= self.min_confidence
        ]
        found.sort(key=lambda face: face.size, reverse=True)
        return found[:MAX_FACES]

    def _loaded(self) -> Cascade:
        with self._lock:
            if self._cascade is None:
                mtcnn = packaged_mtcnn(self.device)
                self._cascade = Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet, self.settings)
        return self._cascade


def _is_among(face: FaceBox, others: list[FaceBox]) -> bool:
    return any(_overlap(face, other) > _SAME for other in others)


def _overlap(face: FaceBox, other: FaceBox) -> float:
    """What two boxes share, as a share of the smaller one."""
    low, high = np.maximum(face.box[:2], other.box[:2]), np.minimum(face.box[2:], other.box[2:])
    smaller = min(face.size, other.size) ** 2
    return float(np.maximum(high - low, 0).prod() / smaller) if smaller else 0.0


def packaged_mtcnn(device: str = "cpu") -> Any:
    """facenet-pytorch's own detector at its default settings, but for keeping every face."""
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, device=torch.device(device))


def _resize(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    step = width // size[0]
    if size[0] * step == width and size[1] * step == height:  # a camera's sizes: whole pixels merge
        return _halved(image) if step == 2 else np.array(Image.fromarray(image).reduce(step))
    method = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    return np.array(Image.fromarray(image).resize(size, method, reducing_gap=2.0))


def _halved(image: np.ndarray) -> np.ndarray:
    """The means of two by two pixels of uint8 (H, W, 3), both even: Pillow's, in half the time."""
    pixels = torch.from_numpy(np.require(image, requirements=("C", "W")))  # torch asks for both
    lines = pixels[0::2].to(torch.int16) + pixels[1::2]  # (H / 2, W, 3)
    sums = lines[:, 0::2] + lines[:, 1::2]
    return ((sums + 2) >> 2).to(torch.uint8).numpy()
