"""The study pastes faces where it says, and scores every mode on the same found faces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fer_core.data.faces import Faces
from fer_core.data.synthetic import draw_faces
from fer_core.inference.align import MODES
from fer_core.inference.alignment_study import (
    ALL_SIZES,
    AS_CUT,
    AS_READ,
    compare_alignments,
    face_at,
    measure_frame,
    paste_face,
)
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.predictor import Classifier, Predictor


@pytest.fixture(scope="module")
def drawn() -> Faces:
    return draw_faces(14, image_size=48, seed=3)


def test_face_is_pasted_where_it_says() -> None:
    white = np.full((48, 48, 1), 255, dtype=np.uint8)
    for seed in range(10):
        picture, (x, y) = paste_face(white, 96, np.random.default_rng(seed))
        assert (picture[int(y) - 30 : int(y) + 30, int(x) - 30 : int(x) + 30] >= 250).all()
        assert picture.shape[0] >= 192
        assert picture.dtype == np.uint8


def test_same_seed_pastes_the_same_picture() -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    first, second = (paste_face(face, 80, np.random.default_rng(5), 20)[0] for _ in range(2))
    assert (first == second).all()


def test_a_study_without_a_face_to_paste_is_refused(
    drawn: Faces, detector: FaceDetector, classifier: Classifier
) -> None:
    unknown = drawn.subset([drawn.class_names[y] not in ("sad", "happy") for y in drawn.labels])
    for faces in (unknown, drawn.subset(np.zeros(0, dtype=np.int64))):
        with pytest.raises(ValueError, match="can be pasted: none of its"):
            compare_alignments(classifier, faces, detector)


def test_every_mode_is_scored_on_the_same_faces(
    drawn: Faces, detector: FaceDetector, classifier: Classifier
) -> None:
    ticks: list[tuple[int, int]] = []
    table = compare_alignments(
        classifier,
        drawn,
        detector,
        sizes=(64, 96),
        progress=lambda done, total: ticks.append((done, total)),
    )
    assert list(table["mode"]) == [AS_CUT, *MODES, AS_READ] * 3
    assert list(table["size"].unique()) == [64, 96, ALL_SIZES]
    wanted = sum(drawn.class_names[label] in ("sad", "happy") for label in drawn.labels)
    by_size = table.groupby("size")
    assert by_size["pasted"].unique().str[0].to_dict() == {
        64: wanted,
        96: wanted,
        ALL_SIZES: 2 * wanted,
    }
    assert (by_size["found"].nunique() == 1).all()
    found = by_size["found"].first()
    assert found[64] + found[96] == found[ALL_SIZES] > 0
    assert table["accuracy"].between(0, 1).all()
    assert {"recall_sad", "recall_happy"} <= set(table.columns)
    assert ticks[-1] == (2 * wanted, 2 * wanted)


def test_a_predictors_own_answers_are_scored_too(
    drawn: Faces, detector: FaceDetector, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def classify(self: Predictor, picture: np.ndarray, faces: list[FaceBox]) -> list[Any]:
        asked.append("happy" if len(asked) % 3 else "sad")
        return [SimpleNamespace(label=asked[-1])]

    monkeypatch.setattr(Predictor, "classify", classify)
    table = compare_alignments(classifier, drawn, detector, sizes=(96,), modes=())
    assert list(table["mode"].unique()) == [AS_CUT, AS_READ]
    random, truth = np.random.default_rng([0, 96]), []
    for image, label in zip(drawn.images, drawn.labels, strict=True):
        if drawn.class_names[label] in ("sad", "happy"):
            picture, centre = paste_face(image, 96, random)
            if face_at(detector.detect(picture), centre, 96) is not None:
                truth.append(drawn.class_names[label])
    right = np.mean([said == true for said, true in zip(asked, truth, strict=True)])
    assert table.set_index("mode").accuracy[AS_READ].tolist() == [right] * 2


def test_count_and_seed_choose_the_faces(
    drawn: Faces, detector: FaceDetector, classifier: Classifier
) -> None:
    options = {"sizes": (96,), "count": 2, "modes": ("box",)}
    first, again = (
        compare_alignments(classifier, drawn, detector, seed=4, **options) for _ in range(2)
    )
    assert set(first["pasted"]) == {2}
    assert first.equals(again)


def test_frame_of_drawn_faces_is_measured(drawn: Faces, detector: FaceDetector) -> None:
    measured = measure_frame(drawn, detector)
    assert measured["found"] > 0.5
    landmarks = np.array(measured["landmarks"])
    assert landmarks.shape == (5, 2)
    assert landmarks[0, 0] < landmarks[2, 0] < landmarks[1, 0]
    assert 20 < measured["box_size"] < 70


def test_set_without_faces_is_refused(detector: FaceDetector, tiny_faces: Faces) -> None:
    with pytest.raises(ValueError, match="no face found in 5 images of tiny"):
        measure_frame(tiny_faces, detector, count=5)
