"""Boxes and labels are drawn where the faces are, and the given picture is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.inference.draw import draw_predictions
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import colour


def prediction(box: tuple[float, float, float, float] | None) -> FacePrediction:
    return FacePrediction(box, "happy", 0.93, {"happy": 0.93, "sad": 0.07}, np.zeros((4, 4, 1)))


def of_hue(image: np.ndarray, name: str = "happy") -> np.ndarray:
    hue = [int(colour(name)[at : at + 2], 16) for at in (1, 3, 5)]
    return (image == hue).all(axis=2)


def test_box_is_drawn_in_the_colour_of_the_label() -> None:
    picture = np.zeros((400, 600, 3), dtype=np.uint8)
    drawn = draw_predictions(picture, [prediction((200, 150, 320, 300))])
    assert of_hue(drawn)[225, 199:203].any()
    assert of_hue(drawn)[225, 318:322].any()
    assert not of_hue(drawn)[225, 230:290].any()  # the face itself stays free
    assert of_hue(drawn)[125:150, 200:260].sum() > 300  # the label, above the box
    assert picture.max() == 0


@pytest.mark.parametrize("box", [(-30, -40, 50, 60), (560, 2, 640, 90), (10, 390, 20, 399), None])
def test_label_stays_inside_the_picture(box: tuple[float, float, float, float] | None) -> None:
    drawn = draw_predictions(np.zeros((400, 600, 3), np.uint8), [prediction(box)])
    assert of_hue(drawn).sum() > 300


def test_large_picture_is_reduced_with_its_boxes() -> None:
    drawn = draw_predictions(
        np.zeros((2000, 4000, 3), np.uint8), [prediction((2000, 800, 3000, 1800))], long_side=800
    )
    assert drawn.shape == (400, 800, 3)
    rows, columns = np.nonzero(of_hue(drawn)[200:])
    assert 398 <= columns.min() <= 401
    assert 598 <= columns.max() <= 602
    assert 358 <= rows.max() + 200 <= 362


def test_tiny_picture_is_drawn_on_without_an_error() -> None:
    assert draw_predictions(np.zeros((3, 3, 3), np.uint8), [prediction(None)]).shape == (3, 3, 3)


def test_nothing_found_leaves_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert (draw_predictions(picture, []) == picture).all()
