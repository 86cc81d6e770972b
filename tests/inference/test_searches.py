"""Which searches a detector makes, and what it takes of a face far away: no network is asked."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.inference.cascade import _distinct
from fer_core.inference.detect import FaceBox, FaceDetector


def face(x: float, y: float, side: float, confidence: float = 1.0) -> FaceBox:
    return FaceBox((x, y, x + side, y + side), np.zeros((5, 2), np.float32), confidence)


class Scripted(FaceDetector):
    """Answers each search with the next list of faces, in pixels of the picture that it is given
    for; none when there is no more. `asked`: the sizes of the pictures, long side first."""

    def __init__(self, *answers: list[FaceBox]) -> None:
        super().__init__()
        self.answers, self.asked = list(answers), []

    def _search(
        self, image: np.ndarray, smallest: float, scale: float, border: float
    ) -> list[FaceBox]:
        self.asked.append(max(image.shape[:2]))
        return self.answers.pop(0) if self.answers else []


def blank(side: int) -> np.ndarray:
    return np.zeros((side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("first", "asked"),
    [
        ([face(100, 100, 100)], [320]),  # 50 pixels at the first look: nothing finer beside it
        ([face(100, 100, 60)], [320, 640]),
        ([face(300, 100, 100), face(100, 100, 60)], [320, 640]),  # the smallest one decides
    ],
)
def test_a_small_face_calls_for_a_finer_search(first: list[FaceBox], asked: list[int]) -> None:
    detector = Scripted(first)
    assert detector.detect(blank(640)) == first  # a finer search that finds nothing takes none away
    assert detector.asked == asked


def test_a_finer_search_is_spared_where_smaller_faces_are_not_wanted() -> None:
    detector = Scripted([])
    detector.detect(blank(640), min_face=60)
    assert detector.asked == [320, 240]  # and the one with a border
    detector = Scripted([])
    detector.detect(blank(640), min_face=40)
    assert detector.asked == [320, 640, 240]


def test_of_the_faces_in_the_distance_each_is_kept_once_and_the_largest_comes_first() -> None:
    near, far = face(100, 100, 90), face(800, 800, 30)
    same = [face(805, 803, 30), face(826, 800, 30)]  # at once, and only after a closer look
    closer = [[face(32, 30, 30)], [face(19, 30, 30)], [face(120, 120, 120)]]
    detector = Scripted([near], [far, *same, face(400, 900, 120)], *closer)
    # what is seen closer by lies in the part of the picture about the face
    seen = detector._search_far(blank(1280), None, 1280, detector._search(blank(320), 24, 1, 0))
    assert [round(one.size) for one in seen] == [120, 90, 30]
    assert len(detector.asked) == 2 + len(closer)  # nothing was looked at closer in vain


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (face(30, 30, 30), True),
        (face(41, 30, 30), True),
        (face(43, 30, 30), False),  # its middle is further away than 0.4 of the side
        (face(30, 30, 30, confidence=0.8), False),
    ],
)
def test_a_face_in_the_distance_counts_where_it_is_found_again(found: FaceBox, kept: bool) -> None:
    seen = Scripted([found])._look_closer(blank(1280), face(600, 500, 30))
    assert (seen is not None) == kept
    if kept:
        assert seen.box[:2] == pytest.approx((570 + found.box[0], 470 + found.box[1]))


def test_of_boxes_that_share_most_of_the_smaller_one_the_best_is_kept() -> None:
    boxes = np.array(
        [[10, 10, 40, 40], [0, 0, 100, 100], [70, 70, 130, 130], [300, 0, 340, 40]], np.float32
    )
    scores = np.array([0.8, 0.9, 0.7, 0.95], np.float32)
    assert _distinct(boxes, scores, 0.7) == [3, 1, 2]  # the first lies within the second
    assert _distinct(boxes, scores, 0.2) == [3, 1]
    assert _distinct(boxes[:0], scores[:0], 0.7) == []
