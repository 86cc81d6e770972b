"""Stand-ins for the detector, and a reader of HTML, for the tests of the Predict tab."""

from __future__ import annotations

import re

import numpy as np

from fer_core.inference.detect import FaceBox


class OneFace:
    """Stands for the detector: one face, in the middle half of every picture."""

    def detect(self, image: np.ndarray, **_: object) -> list[FaceBox]:
        height, width = image.shape[:2]
        points = [(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.65), (0.58, 0.65)]
        landmarks = np.array(points, np.float32) * (width, height)
        box = (width / 4, height / 4, 3 * width / 4, 3 * height / 4)
        return [FaceBox(box, landmarks, 0.99)]


class NoFace:
    def detect(self, image: np.ndarray, **_: object) -> list[FaceBox]:
        return []


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())
