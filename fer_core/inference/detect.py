"""Finds faces: a picture uint8 (H, W, 3) in, boxes with five landmarks in its own pixels out.

MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks") as packaged, with its weights, by facenet-pytorch.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

#: The picture is reduced to this long side, in pixels, before detection.
LONG_SIDE = 640
#: Below this confidence a found box is more often a pattern than a face.
MIN_CONFIDENCE = 0.9
#: At most this many faces are returned, the largest.
MAX_FACES = 50

#: The second look, for a face that fills the picture: side in pixels, and border as a share of it.
_CLOSE_SIDE = 160
_CLOSE_BORDER = 0.25
_SMALLEST_PICTURE = 12  # pixels
_MTCNN_SMALLEST = 20  # pixels; MTCNN's first network sees nothing finer than a face of 12


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


class FaceDetector:
    """Loads its networks at the first call; one picture at a time, however many threads ask."""

    def __init__(self, device: str = "cpu", min_confidence: float = MIN_CONFIDENCE) -> None:
        self.device = device
        self.min_confidence = min_confidence
        self._networks: Any = None
        self._lock = threading.Lock()

    def detect(
        self,
        image: np.ndarray,
        min_face: float | None = None,
        long_side: int = LONG_SIDE,
        close_up: bool = False,
    ) -> list[FaceBox]:
        """Faces of `image` (uint8 (H, W, 3)), the largest first; empty when there is none.

        min_face: smallest face looked for, in pixels of `image`; by default 20 pixels of the
        reduced picture, a thirty-second of its long side. long_side: pixels to which a larger
        picture is reduced; less is faster and misses small faces. Without a face at first, the
        picture is looked at again with a border around it, where a face that fills it is found
        (the other way round for a picture of fewer than 160 pixels). close_up: only that way.
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
        return [face for face in faces if face.size >= (min_face or 0)]

    def _search_wide(
        self, image: np.ndarray, min_face: float | None, long_side: int
    ) -> list[FaceBox]:
        scale = min(1.0, long_side / max(image.shape[:2]))
        smallest = max(_MTCNN_SMALLEST, (min_face or 0) * scale)
        return self._search(_resize(image, scale), smallest, scale, 0.0)

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
        if min(image.shape[:2]) < smallest:  # MTCNN would have no scale to look at and raise
            return []
        with self._lock:
            mtcnn = self._loaded()
            mtcnn.min_face_size = smallest
            try:
                boxes, confidences, landmarks = mtcnn.detect(image, landmarks=True)
            except (IndexError, ValueError):  # facenet-pytorch, when a candidate lies outside
                return []
        if boxes is None:
            return []
        found = [
            FaceBox(
                tuple(float(value) for value in (np.asarray(box, np.float64) - border) / scale),
                ((np.asarray(points, np.float64) - border) / scale).astype(np.float32),
                float(confidence),
            )
            for box, confidence, points in zip(boxes, confidences, landmarks, strict=True)
            if confidence >= self.min_confidence
        ]
        found.sort(key=lambda face: face.size, reverse=True)
        return found[:MAX_FACES]

    def _loaded(self) -> Any:
        if self._networks is None:
            from facenet_pytorch import MTCNN

            self._networks = MTCNN(keep_all=True, device=torch.device(self.device))
        return self._networks


def _resize(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    return np.array(Image.fromarray(image).resize(size, method, reducing_gap=2.0))
