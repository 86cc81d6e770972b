"""Faces keep their identity from frame to frame, and what is shown moves smoothly in time."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.track import FaceTracker, Smoothing


def seen(x: float, happy: float, y: float = 100.0, side: float = 80.0) -> FacePrediction:
    label = "happy" if happy >= 0.5 else "sad"
    box = (x, y, x + side, y + side)
    probabilities = {"sad": 1 - happy, "happy": happy}
    return FacePrediction(box, label, max(happy, 1 - happy), probabilities, np.zeros((4, 4, 1)))


def test_first_sight_is_shown_as_it_is() -> None:
    (face,) = FaceTracker().update([seen(100, 0.9)], 0.0)
    assert face.box == (100, 100, 180, 180)
    assert face.probabilities["happy"] == pytest.approx(0.9)


def test_one_odd_frame_does_not_change_the_label() -> None:
    tracker = FaceTracker()
    for step in range(20):
        tracker.update([seen(100, 0.9)], step * 0.05)
    (face,) = tracker.update([seen(100, 0.0)], 1.0)
    assert face.label == "happy"
    (face,) = tracker.update([seen(100, 0.9)], 1.05)
    assert face.label == "happy"


@pytest.mark.parametrize("rate", [15, 20, 25])
def test_another_expression_is_named_within_150_ms(rate: int) -> None:
    tracker = FaceTracker()
    for step in range(rate):
        tracker.update([seen(100, 0.95)], step / rate)
    changed = 1.0  # the first picture with the new expression is taken then
    for step in range(rate):
        (face,) = tracker.update([seen(100, 0.05)], changed + step / rate)
        if face.label == "sad":
            break
    assert face.confidence == face.probabilities["sad"]
    assert step / rate <= 0.15


@pytest.mark.parametrize("rate", [4, 10, 30])
def test_smoothing_depends_on_seconds_not_on_the_frame_rate(rate: int) -> None:
    tracker = FaceTracker(Smoothing(probabilities_s=0.5))
    tracker.update([seen(100, 0.0)], 0.0)
    for step in range(1, rate // 2 + 1):
        (face,) = tracker.update([seen(100, 1.0)], step / rate)
    assert face.probabilities["happy"] == pytest.approx(1 - np.exp(-1), abs=1e-6)


def test_probabilities_keep_summing_to_one() -> None:
    tracker = FaceTracker()
    for step in range(30):
        (face,) = tracker.update([seen(100 + step, step % 2)], step * 0.07)
    assert sum(face.probabilities.values()) == pytest.approx(1)


def test_two_faces_are_not_exchanged_when_their_order_is() -> None:
    tracker = FaceTracker()
    tracker.update([seen(0, 1.0), seen(300, 0.0)], 0.0)
    faces = tracker.update([seen(305, 0.0), seen(4, 1.0)], 0.1)
    assert [face.label for face in faces] == ["happy", "sad"]
    assert faces[0].box[0] < 10 < 290 < faces[1].box[0]


def test_a_face_that_comes_beside_another_does_not_take_its_place() -> None:
    tracker = FaceTracker()
    tracker.update([seen(0, 1.0)], 0.0)
    faces = tracker.update([seen(44, 0.0), seen(2, 1.0)], 0.1)  # the new one is named first
    assert [face.label for face in faces] == ["happy", "sad"]
    assert faces[0].box[0] < 10
    assert faces[1].box[0] == 44


def test_two_faces_never_go_on_as_one() -> None:
    tracker = FaceTracker()
    tracker.update([seen(0, 1.0)], 0.0)
    assert len(tracker.update([seen(4, 1.0), seen(8, 1.0)], 0.1)) == 2


@pytest.mark.parametrize(("x", "side"), [(60.0, 80.0), (30.0, 20.0)])  # beside it, within it
def test_a_box_that_shares_little_with_another_is_another_face(x: float, side: float) -> None:
    tracker = FaceTracker(Smoothing(min_overlap=0.2))
    tracker.update([seen(0, 1.0)], 0.0)
    assert len(tracker.update([seen(x, 0.0, y=130.0 if side < 80 else 100.0, side=side)], 0.1)) == 2


def test_box_follows_a_moving_face_without_a_jump() -> None:
    tracker = FaceTracker()
    places = []
    for step in range(12):
        (face,) = tracker.update([seen(20.0 * step, 1.0)], step * 0.1)
        places.append(face.box[0])
    steps = np.diff(places)
    assert (steps > 5).all()
    assert (steps < 25).all()
    assert abs(places[-1] - 220) < 20


def test_face_missing_from_a_frame_stays_and_then_goes() -> None:
    tracker = FaceTracker(Smoothing(forget_s=0.5))
    tracker.update([seen(100, 1.0)], 0.0)
    assert len(tracker.update([], 0.3)) == 1
    assert tracker.update([], 0.6) == []


def test_far_away_face_is_a_new_one() -> None:
    tracker = FaceTracker(Smoothing(forget_s=5))
    tracker.update([seen(0, 1.0)], 0.0)
    faces = tracker.update([seen(500, 0.0)], 0.1)
    assert [face.label for face in faces] == ["happy", "sad"]


def test_other_classes_start_anew() -> None:
    tracker = FaceTracker()
    tracker.update([seen(100, 1.0)], 0.0)
    other = FacePrediction((100, 100, 180, 180), "pain", 1.0, {"pain": 1.0}, np.zeros((4, 4, 1)))
    (face,) = tracker.update([other], 0.1)
    assert face.probabilities == {"pain": 1.0}


def test_frame_rate_is_that_of_the_last_seconds() -> None:
    tracker = FaceTracker()
    assert tracker.frames_per_second == 0
    for step in range(40):
        tracker.update([], step * 0.125)
    assert tracker.frames_per_second == pytest.approx(8)
    for step in range(20):  # after a pause, half as fast
        tracker.update([], 100 + step * 0.25)
    assert tracker.frames_per_second == pytest.approx(4)


def test_tracker_can_be_kept_per_viewer() -> None:
    tracker = FaceTracker()
    tracker.update([seen(100, 1.0)], 0.0)
    other = copy.deepcopy(tracker)
    pickle.loads(pickle.dumps(tracker))
    other.update([], 9.0)
    assert len(tracker.update([], 0.1)) == 1


def test_time_constant_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="probabilities_s"):
        Smoothing(probabilities_s=0)


class CountingDetector(FaceDetector):
    """Finds the white square, and counts how often it was asked."""

    calls = 0

    def detect(self, image: np.ndarray, **_options: object) -> list[FaceBox]:
        self.calls += 1
        rows, columns = np.nonzero(image[:, :, 0] > 250)
        if not len(rows):
            return []
        box = tuple(float(v) for v in (columns.min(), rows.min(), columns.max(), rows.max()))
        points = np.array([[box[0], box[1]], [box[2], box[1]]] * 2 + [[box[0], box[3]]])
        return [FaceBox(box, points.astype(np.float32), 1.0)]


def frame(x: int) -> np.ndarray:
    picture = np.full((240, 320, 3), 40, dtype=np.uint8)
    picture[80:160, x : x + 80] = 255
    return picture


def test_still_face_is_classified_without_searching_again(classifier: Any) -> None:
    detector = CountingDetector()
    predictor, tracker = Predictor(classifier, detector), FaceTracker(Smoothing(detect_every_s=0.5))
    for step in range(5):
        assert len(tracker.follow(frame(100), predictor, step * 0.1)) == 1
    assert detector.calls == 1
    assert len(classifier.batches) == 5
    tracker.follow(frame(100), predictor, 0.6)
    assert detector.calls == 2


def test_a_speck_on_a_still_face_is_no_movement(classifier: Any) -> None:
    detector = CountingDetector()
    predictor, tracker = Predictor(classifier, detector), FaceTracker()
    speck = frame(100)
    speck[100:105, 120:125] = 0
    for picture, seconds in ((frame(100), 0.0), (speck, 0.1)):
        tracker.follow(picture, predictor, seconds)
    assert detector.calls == 1


def test_moving_face_is_searched_in_every_frame(classifier: Any) -> None:
    detector = CountingDetector()
    predictor, tracker = Predictor(classifier, detector), FaceTracker()
    for step in range(5):
        (face,) = tracker.follow(frame(100 + 12 * step), predictor, step * 0.05)
    assert detector.calls == 5
    assert face.box[0] > 110


def test_empty_picture_is_searched_in_every_frame(classifier: Any) -> None:
    detector = CountingDetector()
    predictor, tracker = Predictor(classifier, detector), FaceTracker()
    for step in range(4):
        assert tracker.follow(np.zeros((240, 320, 3), np.uint8), predictor, step * 0.1) == []
    assert detector.calls == 4
