"""Faces in photographs: pasted where it is said, spoilt as it is said, counted and compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.comparison.photographs.conditions import CONDITIONS, Condition, photograph
from fer_core.comparison.photographs.report import photographs_document, photographs_page
from fer_core.comparison.photographs.study import Outcome, _loss, study_photographs
from fer_core.comparison.photographs.views import found_views
from fer_core.data.faces import DataError, Faces
from fer_core.data.synthetic import draw_faces
from fer_core.inference.detect import FaceDetector
from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.checkpoint import load_checkpoint

WHITE = np.full((48, 48, 1), 255, dtype=np.uint8)
BY_NAME = {condition.name: condition for condition in CONDITIONS}
PLAIN, TURNED, DIM, BLURRED, JPEG, TINTED, ALL = CONDITIONS


def _shown(condition: Condition, seed: int = 0, side: int = 96) -> np.ndarray:
    return photograph(WHITE, side, condition, np.random.default_rng(seed)).image.astype(float)


@pytest.mark.parametrize("side", [24, 96, 400])
def test_the_face_lies_where_it_says(side: int) -> None:
    for seed in range(5):
        shown = photograph(WHITE, side, PLAIN, np.random.default_rng(seed))
        assert shown.image.shape == (480, 640, 3)
        assert shown.image.dtype == np.uint8
        (x, y), reach = shown.middle, side // 4
        x, y = int(x), int(y)
        assert (shown.image[y - reach : y + reach, x - reach : x + reach] >= 250).all()


def test_a_photograph_may_be_larger_than_the_face_in_it() -> None:
    for seed in range(5):
        shown = photograph(WHITE, 60, PLAIN, np.random.default_rng(seed), enlarged=4)
        assert shown.image.shape == (1920, 2560, 3)
        x, y = map(int, shown.middle)
        assert (shown.image[y - 15 : y + 15, x - 15 : x + 15] >= 250).all()


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_one_seed_gives_one_photograph(condition: Condition) -> None:
    assert (_shown(condition, 3) == _shown(condition, 3)).all()
    assert (_shown(condition, 3) != _shown(condition, 4)).any()


def test_a_face_that_does_not_fit_is_refused() -> None:
    for side in (4, 481):
        with pytest.raises(ValueError, match="side must be 8 to 480 pixels"):
            photograph(WHITE, side, PLAIN, np.random.default_rng(0))


def test_every_condition_spoils_as_its_name_says() -> None:
    plain = _shown(PLAIN)
    assert 0.15 < _shown(DIM).mean() / plain.mean() < 0.55
    assert (
        np.abs(np.diff(_shown(BLURRED), axis=1)).mean()
        < 0.8 * np.abs(np.diff(plain, axis=1)).mean()
    )
    change = np.abs(_shown(JPEG) - plain)
    assert 1 < change.mean() < 20
    share = _shown(TINTED).mean(axis=(0, 1)) / plain.mean(axis=(0, 1))
    assert share.min() < 0.92
    assert share.max() > 0.99
    assert (_shown(TURNED) != plain).any()
    assert _shown(ALL).mean() < plain.mean()


@pytest.fixture(scope="module")
def drawn() -> Faces:
    return draw_faces(14, image_size=96, seed=3)


@pytest.fixture(scope="module")
def outcomes(drawn: Faces) -> list[Outcome]:
    ticks: list[tuple[int, int]] = []
    found = study_photographs(
        load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet"),
        drawn,
        FaceDetector(),
        lambda image: np.array([[0.0, 0.0, image.shape[1], image.shape[0]]]),
        conditions=(PLAIN, DIM),
        sizes=(48, 96, 160),
        count=8,
        progress=lambda done, total: ticks.append((done, total)),
    )
    assert ticks[-1] == (48, 48)
    return found


def test_sizes_are_counted_alone_and_together(outcomes: list[Outcome]) -> None:
    assert [outcome.size for outcome in outcomes] == ["48", "96", "160", "from 64"] * 2
    assert [outcome.condition for outcome in outcomes] == [PLAIN.name] * 4 + [DIM.name] * 4
    small, middle, large, pooled = outcomes[:4]
    assert small.pasted == middle.pasted == 8
    assert pooled.pasted == 16
    assert pooled.found == middle.found + large.found >= 12
    assert pooled.found_usual == middle.found_usual + large.found_usual
    right = middle.accuracy * middle.found + large.accuracy * large.found
    assert pooled.accuracy == pytest.approx(right / pooled.found)
    for outcome in outcomes:
        if outcome.found:
            assert outcome.loss[0] == pytest.approx(outcome.as_cut - outcome.accuracy)


def test_an_interval_is_given_from_twenty_found_faces_on(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:  # of 8 faces, also where these are seen at two sizes
        assert np.isnan(outcome.loss[1:]).all()
    assert [row[-1] for row in photographs_document(outcomes).rows] == ["–"] * len(outcomes)
    found = np.ones(20, dtype=np.int64)
    lost, low, high = _loss(np.arange(20) % 2, found)
    assert low < lost == 0.5 < high
    assert np.isnan(_loss(np.arange(20) % 2, np.where(np.arange(20) > 0, 2, 0))[1:]).all()


def test_a_size_that_does_not_fit_is_refused_before_any_photograph(drawn: Faces) -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    with pytest.raises(ValueError, match="side must be 8 to 480 pixels, got 481"):
        study_photographs(checkpoint, drawn, FaceDetector(), sizes=(8, 481), progress=pytest.fail)


def test_a_set_without_known_classes_is_refused(drawn: Faces) -> None:
    strange = Faces(
        images=drawn.images,
        labels=np.zeros(len(drawn), dtype=np.int64),
        ids=drawn.ids,
        class_names=("bored",),
        name="strange",
        source="strange",
    )
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    with pytest.raises(ValueError, match="strange has no labelled face of a class"):
        study_photographs(checkpoint, strange, FaceDetector())


def test_the_page_holds_every_figure(outcomes: list[Outcome]) -> None:
    text = photographs_page(outcomes, "Written by a test.", enlarged=3)
    assert "photographs of 1920 x 1440 pixels" in text
    pooled, single = text.split("Every size")
    assert pooled.count("from 64") == 2
    assert "Written by a test." in pooled
    assert single.count(PLAIN.name) == 3
    first = photographs_document(outcomes).records()[0]
    assert first["found"] == outcomes[0].found
    unseen = Outcome("dark", "24", 8, 0, None, float("nan"), float("nan"), (float("nan"),) * 3)
    assert photographs_document([unseen]).rows == (
        ("dark", "24", "8", "0.0 %", "–", "–", "–", "–"),
    )


def test_views_are_found_faces_of_the_rows_that_were_asked_for(drawn: Faces) -> None:
    rows, ticks = np.array([1, 4, 9]), []
    found = found_views(
        drawn, rows, FaceDetector(), times=3, seed=5, progress=lambda *at: ticks.append(at)
    )
    assert ticks[-1] == (9, 9)
    assert found.images.shape == (len(found), *drawn.images.shape[1:])
    assert set(found.rows) <= set(rows.tolist())
    assert 4 <= len(found) <= 9  # the detector finds most drawn faces
    again = found_views(drawn, rows, FaceDetector(), times=3, seed=5)
    assert (again.images == found.images).all()
    alike = [
        [np.corrcoef(view.ravel(), drawn.images[row].ravel())[0, 1] for row in rows]
        for view in found.images
    ]
    nearest = rows[np.argmax(alike, axis=1)]
    assert (nearest == found.rows).mean() > 0.6  # by chance a third


def test_views_of_images_that_are_not_square_are_refused(drawn: Faces) -> None:
    wide = drawn.subset(slice(0, 4))
    wide = Faces(wide.images[:, ::2], wide.labels, wide.ids, wide.class_names, name="wide")
    with pytest.raises(DataError, match="views are square, the images of wide are 48 x 96"):
        found_views(wide, np.arange(4), FaceDetector())
    with pytest.raises(DataError, match="has no training images"):
        found_views(drawn, np.arange(0), FaceDetector())


def test_pictures_without_a_face_give_no_file_of_views(drawn: Faces) -> None:
    flat = replace(drawn, images=np.full_like(drawn.images, 90), fingerprint="")
    with pytest.raises(DataError, match="no face was found in 2 photographs"):
        found_views(flat, np.arange(2), FaceDetector())
