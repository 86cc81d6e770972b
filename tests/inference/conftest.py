"""Doubles and faces for the inference tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fer_core.data.preprocess import Preprocessing
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.photo import read_photo
from fer_core.ui.examples import EXAMPLES


class BrightnessClassifier:
    """Names a face "happy" the more, the brighter it is: what it was shown can be read off it."""

    class_names = ("sad", "happy")

    def __init__(self, channels: int = 1, image_size: int = 48) -> None:
        self.preprocessing = Preprocessing(image_size=image_size, channels=channels)
        self.batches: list[np.ndarray] = []

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        self.batches.append(images)
        happy = images.reshape(len(images), -1).mean(axis=1) / 255
        return np.stack([1 - happy, happy], axis=1).astype(np.float32)


@pytest.fixture
def classifier() -> BrightnessClassifier:
    return BrightnessClassifier()


@pytest.fixture
def make_classifier() -> type[BrightnessClassifier]:
    return BrightnessClassifier


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """uint8 (512, 512, 3), a public-domain photograph with one face around (225, 117)."""
    return read_photo(EXAMPLES[0].path)


@pytest.fixture
def make_face() -> Callable[..., FaceBox]:
    """A FaceBox whose landmarks lie where the training frame puts them."""
    from fer_core.inference.align import TEMPLATE, TEMPLATE_BOX_CENTRE, TEMPLATE_BOX_SIZE

    def make(scale: complex = 1, origin: complex = 0) -> FaceBox:
        points = scale * (TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]) + origin
        centre = scale * complex(*TEMPLATE_BOX_CENTRE) + origin
        half = abs(scale) * TEMPLATE_BOX_SIZE / 2
        box = (centre.real - half, centre.imag - half, centre.real + half, centre.imag + half)
        landmarks = np.stack([points.real, points.imag], axis=1).astype(np.float32)
        return FaceBox(box, landmarks, 0.99)

    return make
