"""Near twins in the Data tab: counts, pairs, and words that cannot change the page."""

from __future__ import annotations

import numpy as np

from fer_core.data.faces import Faces
from fer_core.data.near_twins import MostAlike
from fer_core.data.split import Split
from fer_core.ui.data.near_twins_view import PAIRS, near_twins_html


def some_faces(count: int, names: tuple[str, ...] = ("happy", "<sad>")) -> Faces:
    images = np.random.default_rng(0).integers(0, 255, (count, 12, 10, 1), dtype=np.uint8)
    return Faces(images, np.arange(count) % 2, np.arange(count).astype(str), names, name="some")


def alike(*likeness: float, row: int = 0) -> MostAlike:
    return MostAlike(np.array(likeness, dtype=np.float32), np.full(len(likeness), row))


def test_counts_pairs_and_labels_that_differ() -> None:
    split = Split(np.array([0, 1]), np.array([2]), np.array([3, 4, 5]))
    found = {"test": alike(0.97, 0.91, 0.5, row=0), "validation": alike(0.2)}
    text = near_twins_html(some_faces(6), split, found)
    assert "<b>2</b><span>test images have a near twin in training (67\u00a0%)" in text
    assert "<b>0</b><span>validation images have a near twin" in text
    assert "<b>1</b><span>of all these have another label" in text
    assert text.count("<figure>") == 2
    assert "&lt;sad&gt; | happy" in text, "row 3 is <sad>, the training image 0 happy"
    assert "<figcaption>happy<small" in text, "where both are happy it is said once"
    assert "test · 97\u00a0% alike" in text
    assert "<sad>" not in text


def test_pairs_are_a_draw_and_no_flood() -> None:
    faces = some_faces(60)
    split = Split(np.array([0]), np.zeros(0, int), np.arange(1, 60))
    text = near_twins_html(faces, split, {"test": alike(*[0.95] * 59)}, seed=1)
    assert text.count("<figure>") == PAIRS
    assert text == near_twins_html(faces, split, {"test": alike(*[0.95] * 59)}, seed=1)
    assert text != near_twins_html(faces, split, {"test": alike(*[0.95] * 59)}, seed=2)


def test_without_near_twins_or_parts_a_sentence_says_so() -> None:
    split = Split(np.array([0]), np.zeros(0, int), np.array([1]))
    text = near_twins_html(some_faces(2), split, {"test": alike(0.3)})
    assert (
        "No image of validation or test is that like a training image (90\u00a0% or more)." in text
    )
    assert "no second part" in near_twins_html(some_faces(2), split, {})


def test_an_unlabelled_image_is_called_so() -> None:
    faces = some_faces(2)
    faces.labels[1] = -1
    split = Split(np.array([0]), np.zeros(0, int), np.array([1]))
    assert "unlabelled | happy" in near_twins_html(faces, split, {"test": alike(0.95)})
