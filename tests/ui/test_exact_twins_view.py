"""Exact twins in the Data tab: which pictures are shown, under which labels and parts."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.faces import Faces
from fer_core.data.split import Split
from fer_core.data.twins import twin_groups
from fer_core.ui.data.exact_twins_view import ANY, KINDS, LABELS, PARTS, PICTURES, exact_twins_html

#: Which picture each image is; its label; happy and <sad>.
PICTURE = np.array([0, 1, 0, 2, 3, 3, 3, 4, 1, 5, 5])
LABEL = np.array([0, 0, 0, 1, 1, 0, 1, 1, 0, 0, -1])
SPLIT = Split(np.array([0, 1, 3, 4, 5]), np.array([8]), np.array([2, 6, 7]))


@pytest.fixture
def faces() -> Faces:
    pictures = np.random.default_rng(0).integers(0, 255, (6, 12, 10, 1), dtype=np.uint8)
    ids = np.arange(len(LABEL)).astype(str)
    return Faces(pictures[PICTURE], LABEL, ids, ("happy", "<sad>"), name="some")


def test_groups_are_all_images_of_a_picture_that_occurs_more_than_once(faces: Faces) -> None:
    found = [group.tolist() for group in twin_groups(faces.images)]
    assert found == [[0, 2], [1, 8], [4, 5, 6], [9, 10]]
    assert twin_groups(faces.images[[0, 1, 3]]) == []
    assert twin_groups(faces.images[:0]) == []


@pytest.mark.parametrize(
    ("kind", "count", "captions"),
    [
        (ANY, "4 of the 4", ["happy ×2", "&lt;sad&gt; ×2 | happy", "happy | unlabelled"]),
        (LABELS, "1 of the 4", ["&lt;sad&gt; ×2 | happy"]),
        (PARTS, "3 of the 4", ["train · test", "train · validation", "train ×2 · test"]),
    ],
)
def test_each_kind_shows_its_pictures(
    faces: Faces, kind: str, count: str, captions: list[str]
) -> None:
    text = exact_twins_html(faces, SPLIT, twin_groups(faces.images), kind)
    assert count in text
    assert text.count("<figure>") == int(count[0])
    assert "a draw of" not in text, "they are all there"
    for caption in captions:
        assert caption in text
    assert "<sad>" not in text


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({words for words, _ in KINDS}) == len({key for _, key in KINDS}) == 3


def test_many_twins_are_a_draw(faces: Faces) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (40, 12, 10, 1), dtype=np.uint8)
    many = Faces(
        np.concatenate([pictures, pictures]),
        np.zeros(80, dtype=np.int64),
        np.arange(80).astype(str),
        ("happy",),
        name="many",
    )
    split = Split(np.arange(80), np.zeros(0, int), np.zeros(0, int))
    groups = twin_groups(many.images)
    first = exact_twins_html(many, split, groups, seed=1)
    assert first.count("<figure>") == PICTURES
    assert f"40 of the 40 pictures that occur more than once; a draw of {PICTURES}." in first
    assert first != exact_twins_html(many, split, groups, seed=2)
    none = exact_twins_html(many, split, groups, LABELS)
    assert "0 of the 40" in none
    assert "No picture of this kind" in none


def test_a_set_without_twins_says_so(faces: Faces) -> None:
    assert "No picture of this set occurs more than once" in exact_twins_html(faces, SPLIT, [])
