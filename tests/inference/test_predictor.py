"""A picture in, a prediction per face out, all of them seen by the model in one batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fer_core.data.preprocess import Preprocessing
from fer_core.inference.align import READINGS, align_face
from fer_core.inference.detect import FaceDetector
from fer_core.inference.photo import PhotoError
from fer_core.inference.predictor import (
    UNSURE_BELOW,
    FacePrediction,
    Predictor,
    middle_square,
    spoken_label,
)


class NoFaces(FaceDetector):
    def detect(self, *_args: object, **_options: object) -> list:
        return []


def test_photograph_gives_one_prediction(
    classifier: Any, detector: FaceDetector, astronaut: np.ndarray
) -> None:
    (face,) = Predictor(classifier, detector).predict(astronaut)
    assert face.label in classifier.class_names
    assert face.confidence == max(face.probabilities.values())
    assert list(face.probabilities) == ["sad", "happy"]
    assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.box is not None
    assert face.landmarks is not None
    assert face.face.shape == (48, 48, 1)
    assert (classifier.batches[0][0] == face.face).all()  # what is shown is what was classified


@pytest.mark.parametrize("channels", [1, 3])
def test_the_answer_is_the_mean_of_two_cuts_in_the_networks_colour(
    make_classifier: Any, detector: FaceDetector, astronaut: np.ndarray, channels: int
) -> None:
    (found,), classifier = detector.detect(astronaut), make_classifier(channels=channels)
    (face,) = Predictor(classifier, detector).classify(astronaut, [found])
    (batch,) = classifier.batches
    first, second = (
        align_face(astronaut, found, 48, mode, side, grey=channels == 1) for mode, side in READINGS
    )
    assert batch.shape == (2, 48, 48, channels)
    assert (batch[0] == first).all()
    assert (batch[1] == second[:, ::-1]).all()
    rows = classifier.probabilities(batch)
    assert face.confidence == pytest.approx(rows.mean(axis=0).max())


def test_all_faces_go_in_one_batch(
    classifier: Any, detector: FaceDetector, astronaut: np.ndarray
) -> None:
    dark = (astronaut * 0.4).astype(np.uint8)
    faces = Predictor(classifier, detector).predict(np.concatenate([dark, astronaut], axis=1))
    assert len(faces) == 2
    assert [len(batch) for batch in classifier.batches] == [4]  # two cuts of each
    by_place = sorted(faces, key=lambda face: face.box)
    assert by_place[0].probabilities["happy"] < by_place[1].probabilities["happy"]


class LeftSideClassifier:
    """Sees the left half of a face only."""

    class_names = ("sad", "happy")
    preprocessing = Preprocessing(image_size=48, channels=1)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        happy = images[:, :, :24].reshape(len(images), -1).mean(axis=1) / 255
        return np.stack([1 - happy, happy], axis=1)


def test_a_mirrored_picture_gets_the_same_answer() -> None:
    picture = np.zeros((48, 48, 3), dtype=np.uint8)
    picture[:, :24] = 204  # 0.8 on one side, 0 on the other
    predictor = Predictor(LeftSideClassifier(), NoFaces())
    for shown in (picture, picture[:, ::-1].copy()):
        (face,) = predictor.predict(shown, whole_picture=True)
        assert face.probabilities["happy"] == pytest.approx(0.4)
        assert predictor.explain(face).probability == pytest.approx(face.confidence)


def test_many_faces_are_asked_in_bounded_batches(classifier: Any) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (150, 48, 48, 1), dtype=np.uint8)
    rows = Predictor(classifier, NoFaces()).probabilities(faces)
    assert rows[:, 1] == pytest.approx(faces.reshape(150, -1).mean(axis=1) / 255, abs=1e-6)
    assert max(len(batch) for batch in classifier.batches) == 128


def test_large_pictures_go_in_small_batches_and_none_in_no_batch(
    make_classifier: Callable[..., Any],
) -> None:
    large = make_classifier(channels=3, image_size=224)
    predictor = Predictor(large, NoFaces())
    predictor.probabilities(np.zeros((20, 224, 224, 3), np.uint8))
    assert max(len(batch) for batch in large.batches) == 8
    assert predictor.probabilities(np.zeros((0, 224, 224, 3), np.uint8)).shape == (0, 2)


def test_no_face_gives_an_empty_list_and_asks_the_model_nothing(
    classifier: Any,
) -> None:
    assert Predictor(classifier, NoFaces()).predict(np.zeros((90, 90, 3), np.uint8)) == []
    assert classifier.batches == []


def test_face_already_cut_is_classified_pixel_by_pixel(classifier: Any) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    picture = np.repeat(crop, 3, axis=2)
    (whole,) = Predictor(classifier, NoFaces()).predict(picture, whole_picture=True)
    assert whole.box is None
    assert whole.landmarks is None
    assert (whole.face == crop).all()


def test_whole_picture_is_its_middle_square(classifier: Any) -> None:
    picture = np.zeros((100, 300, 3), dtype=np.uint8)
    picture[:, 100:200] = np.linspace(200, 255, 100, dtype=np.uint8)[:, None, None]
    (whole,) = Predictor(classifier, NoFaces()).predict(picture, whole_picture=True)
    assert whole.face.min() >= 199
    assert middle_square(picture[:, :100].transpose(1, 0, 2)).shape == (100, 100, 3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (90, 90, 3)])
def test_a_picture_of_one_colour_gets_no_label(
    classifier: Any, shape: tuple[int, int, int]
) -> None:
    predictor = Predictor(classifier, NoFaces())
    for colour in (200, (255, 0, 0)):
        with pytest.raises(PhotoError, match="nothing to see in the picture, it is of one colour"):
            predictor.predict(np.full(shape, colour, np.uint8), whole_picture=True)


@pytest.mark.parametrize(("channels", "image_size"), [(1, 48), (3, 96)])
def test_face_has_the_size_and_colours_of_the_model(
    make_classifier: Callable[..., Any],
    detector: FaceDetector,
    astronaut: np.ndarray,
    channels: int,
    image_size: int,
) -> None:
    predictor = Predictor(make_classifier(channels, image_size), detector)
    for whole_picture in (False, True):
        (face,) = predictor.predict(astronaut, whole_picture)
        assert face.face.shape == (image_size, image_size, channels)


def test_prediction_becomes_plain_json(
    classifier: Any, detector: FaceDetector, astronaut: np.ndarray
) -> None:
    predictor = Predictor(classifier, detector)
    for whole_picture in (False, True):
        (face,) = predictor.predict(astronaut, whole_picture)
        values = json.loads(json.dumps(face.to_dict()))
        known = {"box", "label", "confidence", "unsure", "probabilities", "landmarks"}
        assert set(values) == known
        assert values["unsure"] == (values["confidence"] < UNSURE_BELOW)
        assert (values["box"] is None) == whole_picture


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"happy": 0.399, "sad": 0.1}, "unsure"),
        ({"happy": 0.4, "sad": 0.1}, "happy"),
        ({"happy": 0.45, "sad": 0.31, "fear": 0.2}, "happy or sad"),
        ({"happy": 0.45, "sad": 0.29}, "happy"),
        ({"happy": 0.5, "sad": 0.49}, "happy"),
        ({"happy": 0.45}, "happy"),
    ],
)
def test_a_weak_answer_is_unsure_and_a_close_one_names_two(
    shares: dict[str, float], said: str
) -> None:
    face = np.zeros((8, 8, 1), dtype=np.uint8)
    answer = FacePrediction(None, "happy", shares["happy"], shares, face)
    assert spoken_label(answer)[0] == said
    assert answer.to_dict()["unsure"] is (said == "unsure")
    assert spoken_label(answer, 0.0)[0].startswith("happy")
