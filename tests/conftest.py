"""Fixtures shared by all tests. Faces are made here, never read from a file of the project."""

from __future__ import annotations

import os

# Before anything imports torch, as in app.py: servers, browsers and training processes of the tests
# share the cores with them, and threads that wait in a loop take these away from one another.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serving
import tuned_world

from fer_core.data.faces import Faces
from fer_core.freed_memory import keep_freed_memory
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.config import RunConfig

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
keep_freed_memory(all_of_it=False)  # as the page does; what computes is faster so

WriteCheckpoint = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded data of a test lands in a folder of the test session, never in the user's cache."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    for folder in ("FER_RUNS", "FER_DATA"):  # nor are the user's runs and sets looked at
        monkeypatch.delenv(folder, raising=False)


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


@pytest.fixture(scope="session")
def tiny_csv_text() -> str:
    """210 easy faces as a file of FER2013's form: Training, PublicTest, PrivateTest in turn."""
    random = np.random.default_rng(1)
    lines = ["emotion,pixels,Usage"]
    usages = ("Training", "Training", "PublicTest", "Training", "PrivateTest")
    for row in range(210):
        label = row % 7
        image = random.integers(0, 60, (48, 48))
        image[6 * label : 6 * label + 8, 10:30] = 220
        pixels = " ".join(map(str, image.ravel()))
        lines.append(f"{label},{pixels},{usages[row // 7 % 5]}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def tiny_csv(tiny_csv_text: str, tmp_path: Path) -> Path:
    """The file with these faces, the test's own."""
    path = tmp_path / "tiny.csv"
    path.write_text(tiny_csv_text)
    return path


@pytest.fixture
def tiny_config(tiny_csv: Path) -> RunConfig:
    """A run of two epochs that takes a second or two on the CPU."""
    return RunConfig(
        recipe="quick",
        data=str(tiny_csv),
        model="expressnet_demo",
        model_options={"widths": [4, 8, 8]},
        epochs=2,
        batch_size=32,
        learning_rate=0.01,
        device="cpu",
    )


@pytest.fixture(scope="session")
def write_checkpoint() -> WriteCheckpoint:
    """`write_checkpoint(folder, "happy")`: weights of an untrained network that says one label."""
    return serving.write_checkpoint


@pytest.fixture(scope="session")
def served_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.ServedApp]:
    """One running app for all tests that look at it from outside, with folders of its own."""
    served = serving.ServedApp(tmp_path_factory.mktemp("served"))
    yield served
    served.stop()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuned_world.World:
    """Two small sets, a run that learned one and a run that was fine-tuned on the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return tuned_world.make_world(tmp_path_factory.mktemp("world"))
