"""Faces are found where they are, at every size of picture, and never an error for want of one."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from fer_core.data.synthetic import draw_face
from fer_core.inference.detect import FaceBox, FaceDetector, _resize


def enlarged(image: np.ndarray, side: int) -> np.ndarray:
    return np.array(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def test_face_and_landmarks_are_where_they_are(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    (face,) = detector.detect(astronaut)
    x0, y0, x1, y1 = face.box
    assert 150 < x0 < 205 < 240 < x1 < 300
    assert 30 < y0 < 90 < 150 < y1 < 200
    assert face.confidence > 0.95
    left, right, nose, mouth_left, mouth_right = face.landmarks
    assert face.landmarks.dtype == np.float32
    assert left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert mouth_left[0] < mouth_right[0]


@pytest.mark.parametrize("side", [256, 1400])
def test_boxes_are_in_pixels_of_the_picture_given(
    detector: FaceDetector, astronaut: np.ndarray, side: int
) -> None:
    (face,) = detector.detect(astronaut)
    (other,) = detector.detect(enlarged(astronaut, side))
    assert np.allclose(np.array(other.box) * 512 / side, face.box, atol=12)
    assert np.allclose(other.landmarks * 512 / side, face.landmarks, atol=4)


def test_largest_face_comes_first(detector: FaceDetector, astronaut: np.ndarray) -> None:
    portrait = astronaut[:256, 96:352]
    picture = np.zeros((300, 520, 3), dtype=np.uint8)
    picture[100:228, 20:148] = enlarged(portrait, 128)
    picture[20:276, 220:476] = portrait
    faces = detector.detect(picture)
    assert len(faces) == 2
    assert faces[0].size > 1.5 * faces[1].size
    assert faces[0].box[0] > 220


def test_smallest_size_asked_for_holds(detector: FaceDetector, astronaut: np.ndarray) -> None:
    assert detector.detect(astronaut, min_face=60)
    assert not detector.detect(astronaut, min_face=250)


@pytest.mark.parametrize("side", [48, 96, 300])
def test_face_that_fills_the_picture_is_found(
    detector: FaceDetector, astronaut: np.ndarray, side: int
) -> None:
    crop = enlarged(np.ascontiguousarray(astronaut[60:172, 168:280]), side)
    (face,) = detector.detect(crop)
    middle = (np.array(face.box[:2]) + face.box[2:]) / 2
    assert np.allclose(middle, side / 2, atol=side / 8)


@pytest.fixture(scope="module")
def crowd(astronaut: np.ndarray) -> np.ndarray:
    """2560 x 1920 pixels with eight faces of some 50 pixels, a fiftieth of the longer side."""
    portrait = enlarged(np.ascontiguousarray(astronaut[20:212, 128:320]), 80)
    picture = np.full((1920, 2560, 3), 90, dtype=np.uint8)
    for number in range(8):
        top, left = 500 + 700 * (number // 4), 300 + 600 * (number % 4)
        picture[top : top + 80, left : left + 80] = portrait
    return picture


def test_faces_in_the_distance_are_found_and_no_face_twice(
    detector: FaceDetector, crowd: np.ndarray, astronaut: np.ndarray
) -> None:
    assert len(detector.detect(crowd, long_side=640)) <= 2
    assert len(detector.detect(crowd)) == 8
    portrait = np.ascontiguousarray(astronaut[20:212, 128:320])
    nearer = crowd.copy()
    for number in range(3):  # the second search finds these, the third finds them again
        left = 300 + 700 * number
        nearer[100:250, left : left + 150] = enlarged(portrait, 150)
    assert len(detector.detect(nearer, long_side=640)) == 3
    faces = detector.detect(nearer)
    assert len(faces) == 11
    assert sum(face.size > 60 for face in faces) == 3


def test_faces_far_behind_a_near_one_are_found(
    detector: FaceDetector, crowd: np.ndarray, astronaut: np.ndarray
) -> None:
    near = np.ascontiguousarray(astronaut[20:212, 128:320])
    picture = crowd.copy()
    picture[1000:1900, 1600:2500] = enlarged(near, 900)
    behind = sum(1 for face in detector.detect(crowd) if not _lies_in(face, 1600, 1000, 2500, 1900))
    faces = detector.detect(picture)
    assert _lies_in(faces[0], 1600, 1000, 2500, 1900)
    assert faces[0].size > 300
    assert len(faces) == 1 + behind > 4
    assert len(detector.detect(picture, long_side=640)) == 1


def _lies_in(face: FaceBox, left: float, top: float, right: float, bottom: float) -> bool:
    x, y = face.middle
    return left <= x <= right and top <= y <= bottom


def test_nothing_is_looked_for_in_the_distance_that_was_not_asked_for(
    crowd: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = FaceDetector()
    sides: list[int] = []
    search = detector._search

    def noted(image: np.ndarray, *rest: float) -> list:
        sides.append(max(image.shape))
        return search(image, *rest)

    monkeypatch.setattr(detector, "_search", noted)
    assert not detector.detect(crowd, min_face=150)
    assert 1280 not in sides
    assert len(detector.detect(crowd)) == 8
    assert sides.count(1280) == 1
    at = sides.index(1280)
    assert len(sides) - at - 1 >= 8  # each of them looked at again, in its own part
    assert max(sides[at + 1 :]) < 300


def test_a_face_in_the_distance_at_the_picture_s_edge_breaks_nothing(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    portrait = enlarged(np.ascontiguousarray(astronaut[20:212, 128:320]), 80)
    picture = np.full((1920, 2560, 3), 90, dtype=np.uint8)
    for top, left in ((0, 0), (0, 2480), (1840, 0), (1840, 2480)):
        picture[top : top + 80, left : left + 80] = portrait
    faces = detector.detect(picture)
    assert len(faces) == 4
    for face in faces:
        assert min(face.box) > -20
        assert max(face.box) < 2580


@pytest.mark.parametrize(
    "box", [(-50, -50, -30, -30), (1300, 1000, 1320, 1020), (300, 300, 300, 320), (-9, 5, 4, 18)]
)
def test_a_box_beyond_the_picture_or_without_width_is_not_found_again(
    detector: FaceDetector, box: tuple[float, float, float, float]
) -> None:
    picture = np.full((960, 1280, 3), 90, dtype=np.uint8)
    assert detector._look_closer(picture, FaceBox(box, np.zeros((5, 2), np.float32), 1.0)) is None


def test_a_face_is_the_same_in_a_part_of_the_picture(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    (face,) = detector.detect(astronaut)
    moved = face.moved(10, 20)
    assert np.allclose(moved.middle - face.middle, (10, 20))
    assert np.allclose(moved.landmarks - face.landmarks, (10, 20), atol=1e-4)
    assert moved.size == pytest.approx(face.size)


def test_most_drawn_faces_are_found(detector: FaceDetector) -> None:
    names = ("happy", "surprise", "neutral", "disgust")
    drawn = [draw_face(name, seed, 160, channels=3) for name in names for seed in range(2)]
    assert sum(len(detector.detect(image)) == 1 for image in drawn) >= 6


@pytest.mark.parametrize(
    "shape", [(1, 1), (11, 11), (12, 12), (19, 640), (20, 20), (48, 48), (1500, 14), (64, 700)]
)
def test_picture_without_a_face_gives_none(detector: FaceDetector, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for image in (np.zeros((*shape, 3), np.uint8), random.integers(0, 256, (*shape, 3), np.uint8)):
        assert detector.detect(image.astype(np.uint8)) == []


def test_grey_or_floating_pictures_are_refused(detector: FaceDetector) -> None:
    with pytest.raises(ValueError, match="uint8"):
        detector.detect(np.zeros((64, 64), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        detector.detect(np.zeros((64, 64, 3), np.float32))


def test_many_threads_get_the_same_faces(astronaut: np.ndarray) -> None:
    detector = FaceDetector()  # not loaded yet: they also race for the loading
    sides = [160, 200, 256, 300]
    alone = FaceDetector()
    expected = [alone.detect(enlarged(astronaut, side)) for side in sides]
    found: dict[int, list] = {}

    def work(number: int) -> None:
        found[number] = detector.detect(enlarged(astronaut, sides[number % 4]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert [face.box for face in found[number]] == [face.box for face in expected[number % 4]]


def test_a_halved_picture_is_pillows(recwarn: pytest.WarningsRecorder) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    picture.setflags(write=False)
    assert np.array_equal(_resize(picture, 0.5), np.array(Image.fromarray(picture).reduce(2)))
    strided = np.repeat(picture, 2, axis=1)[:, ::2]
    assert np.array_equal(_resize(strided, 0.5), _resize(picture, 0.5))
    assert not recwarn.list
