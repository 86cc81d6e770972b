"""The pictures to click are small, their origin is noted, and they show what they are there for."""

from __future__ import annotations

import pytest

from fer_core.inference.detect import FaceDetector
from fer_core.inference.photo import read_photo
from fer_core.ui.examples import EXAMPLES

FACES = {"drawn_group.jpg": 3, "cat.jpg": 0}


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.path.stem)
def test_example_shows_its_faces(example, detector: FaceDetector) -> None:
    assert example.path.stat().st_size < 150_000
    assert len(detector.detect(read_photo(example.path))) == FACES.get(example.path.name, 1)


def test_every_picture_is_listed_and_has_its_origin_noted() -> None:
    folder = EXAMPLES[0].path.parent
    notes = (folder / "README.md").read_text(encoding="utf-8")
    pictures = {path.name for path in folder.iterdir() if path.suffix in (".jpg", ".png")}
    assert pictures == {example.path.name for example in EXAMPLES}
    for name in pictures:
        assert f"`{name}`" in notes
