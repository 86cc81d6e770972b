"""Fixtures shared by all tests. Faces are made here, never read from a file of the project."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.faces import Faces
from fer_core.labels import FER2013_CLASSES

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded data of a test lands in a folder of the test session, never in the user's cache."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with the real FER2013 beside the checkout; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data" / "fer2013.parquet").is_file():
        pytest.skip("the folder ../shared with fer2013.parquet is not beside this checkout")
    return folder


@pytest.fixture
def tiny_faces() -> Faces:
    """70 grey 48x48 images, ten of each class, told apart by the place of a bright square."""
    random = np.random.default_rng(0)
    labels = np.arange(70) % 7
    images = random.integers(0, 60, (70, 48, 48, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 8, 10:30] = 220
    ids = np.array([f"row {index}" for index in range(70)])
    return Faces(images, labels, ids, FER2013_CLASSES, name="tiny", source="tiny")
