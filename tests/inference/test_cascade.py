"""The cascade finds what facenet-pytorch's own loop finds with the same settings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fer_core.comparison.costs.prediction_scenes import scenes
from fer_core.inference.canvas import canvas_size, layout
from fer_core.inference.cascade import Cascade, CascadeSettings
from fer_core.inference.detect import packaged_mtcnn


@pytest.fixture(scope="module")
def mtcnn():
    return packaged_mtcnn()


@pytest.fixture(scope="module")
def cascade(mtcnn) -> Cascade:
    return Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet)


def pictures() -> dict[str, np.ndarray]:
    return {scene.name: scene.image for scene in scenes()}


@pytest.mark.parametrize("name", ["one face", "six faces"])
def test_same_faces_as_the_packaged_loop_in_photographs(mtcnn, cascade: Cascade, name: str) -> None:
    image = pictures()[name]
    boxes, scores, landmarks = mtcnn.detect(image, landmarks=True)
    found = cascade.find(image, mtcnn.min_face_size)
    assert len(found.boxes) == len(boxes) > 0
    theirs = np.lexsort(np.asarray(boxes, np.float64).T)
    ours = np.lexsort(found.boxes.T)
    assert np.allclose(found.boxes[ours], np.asarray(boxes, np.float64)[theirs], atol=0.5)
    points = np.asarray(landmarks, np.float64)[theirs]
    assert np.allclose(found.landmarks[ours], points, atol=0.5)
    assert np.allclose(found.scores[ours], np.asarray(scores, np.float64)[theirs], atol=1e-3)


def test_how_many_crops_go_through_together_changes_nothing(
    cascade: Cascade, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pictures()["six faces"]
    whole = cascade.find(image, 20)
    monkeypatch.setattr("fer_core.inference.cascade._AT_ONCE", 5 * 48 * 48)
    parts = cascade.find(image, 20)
    assert len(whole.boxes) == len(parts.boxes) >= 6
    assert np.allclose(whole.boxes, parts.boxes, atol=0.01)
    assert np.allclose(whole.landmarks, parts.landmarks, atol=0.01)


@pytest.mark.parametrize("shape", [(480, 640), (240, 320), (640, 427), (1000, 300), (37, 48)])
@pytest.mark.parametrize("smallest", [12, 20, 24, 40])
def test_no_size_of_the_picture_lies_over_another(shape: tuple[int, int], smallest: int) -> None:
    sizes = layout(*shape, smallest, 0.709)
    height, width = canvas_size(sizes) if sizes else (0, 0)
    taken = np.zeros((height, width), dtype=int)
    for size in sizes:
        assert (size.top % 2, size.left % 2) == (0, 0)
        taken[size.top : size.bottom, size.left : size.right] += 1
    assert taken.max(initial=0) <= 1
    assert taken.sum() == sum(size.height * size.width for size in sizes)
    assert height * width <= 2.6 * max((s.height * s.width for s in sizes), default=0)


def test_it_does_not_change_the_networks_that_it_was_given(mtcnn) -> None:
    before = mtcnn.pnet.conv1.weight.clone()
    Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet)
    assert (mtcnn.pnet.conv1.weight == before).all()


def test_smaller_faces_than_asked_for_are_left_out(cascade: Cascade) -> None:
    face = Image.fromarray(pictures()["one face"][60:240, 190:370])
    picture = np.full((480, 640, 3), 128, dtype=np.uint8)
    picture[200:260, 300:360] = np.array(face.resize((60, 60), Image.Resampling.BOX))
    assert len(cascade.find(picture, 20).boxes) == 1
    assert len(cascade.find(picture, 100).boxes) == 0


@pytest.mark.parametrize("shape", [(12, 12), (19, 640), (480, 24), (33, 47)])
def test_any_shape_of_picture_is_searched(cascade: Cascade, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = cascade.find(noise, 12)
    assert found.boxes.shape == (len(found.scores), 4)
    assert found.landmarks.shape == (len(found.scores), 5, 2)


def test_fewer_candidates_are_kept_when_told_so(mtcnn) -> None:
    one = Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet, CascadeSettings(most=(400, 1)))
    assert len(one.find(pictures()["six faces"], 40).boxes) == 1


@pytest.fixture(scope="module")
def hasty(mtcnn) -> Cascade:
    """As this project's detector is set, where a sure face speaks for the candidates about it."""
    return Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet, CascadeSettings(sure=0.95))


def crops_asked_about(cascade: Cascade, image: np.ndarray) -> tuple[int, int]:
    """How many the second and the third network are shown."""
    seen = {24: 0, 48: 0}

    def run(network, pixels: np.ndarray):
        if pixels.shape[1] == pixels.shape[2] and pixels.shape[1] in seen:
            seen[pixels.shape[1]] += len(pixels)
        return Cascade._run(cascade, network, pixels)

    cascade._run = run
    try:
        cascade.find(image, 24)
    finally:
        del cascade._run
    return seen[24], seen[48]


def test_a_sure_face_spares_the_candidates_about_it(cascade: Cascade, hasty: Cascade) -> None:
    image = pictures()["six faces"]
    all_refined, all_decided = crops_asked_about(cascade, image)
    refined, decided = crops_asked_about(hasty, image)
    assert refined < 0.75 * all_refined
    assert 6 <= decided < 0.4 * all_decided


@pytest.mark.parametrize("name", ["one face", "six faces"])
def test_faces_that_are_sure_lie_where_all_candidates_say(
    cascade: Cascade, hasty: Cascade, name: str
) -> None:
    image = pictures()[name]
    whole, found = cascade.find(image, 24), hasty.find(image, 24)
    sides = (whole.boxes[:, 2:] - whole.boxes[:, :2]).mean(axis=1)
    middles, others = ((one.boxes[:, :2] + one.boxes[:, 2:]) / 2 for one in (found, whole))
    away = np.hypot(*(middles[:, None] - others).transpose(2, 0, 1))  # (found, whole)
    nearest = away.argmin(axis=1)
    assert sorted(nearest) == list(range(len(whole.boxes)))
    assert (away.min(axis=1) < 0.12 * sides[nearest]).all()
    assert (np.diff(found.scores) <= 0).all()


def test_without_a_sure_face_every_candidate_is_asked_about(mtcnn) -> None:
    doubting = Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet, CascadeSettings(sure=1.1))
    image = pictures()["six faces"]
    assert (
        crops_asked_about(doubting, image)[0]
        == crops_asked_about(Cascade(mtcnn.pnet, mtcnn.rnet, mtcnn.onet), image)[0]
    )


def test_two_heads_close_together_are_both_found(hasty: Cascade) -> None:
    head = Image.fromarray(pictures()["one face"][60:240, 190:370]).resize((120, 120))
    picture = np.full((240, 320, 3), 128, dtype=np.uint8)
    picture[60:180, 55:175] = np.array(head)
    picture[60:180, 140:260] = np.array(head)  # covers a third of the other's square
    assert len(hasty.find(picture, 24).boxes) == 2
