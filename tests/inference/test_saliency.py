"""An explanation finds the part that decides, and none where none does."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from fer_core.inference.draw import draw_explanation
from fer_core.inference.predictor import Predictor
from fer_core.inference.saliency import PLACES, explain

Probabilities = Callable[[np.ndarray], np.ndarray]


def sees_only(rows: slice, columns: slice) -> Probabilities:
    """A model whose second class is as probable as that part of the picture is bright."""

    def probabilities(images: np.ndarray) -> np.ndarray:
        share = images[:, rows, columns].reshape(len(images), -1).mean(axis=1) / 255
        return np.stack([1 - share, share], axis=1)

    return probabilities


def bright_part(channels: int = 1, size: int = 48) -> np.ndarray:
    face = np.zeros((size, size, channels), dtype=np.uint8)
    face[size * 3 // 4 : size * 7 // 8, size // 3 : size * 2 // 3] = 240
    return face


@pytest.mark.parametrize(("channels", "size"), [(1, 48), (3, 96), (1, 7)])
def test_the_part_that_the_model_looks_at_stands_out(channels: int, size: int) -> None:
    looks = (slice(size * 3 // 4, size * 7 // 8), slice(size // 3, size * 2 // 3))
    found = explain(sees_only(*looks), bright_part(channels, size), 1)
    assert found.effect.shape == (size, size)
    assert found.probability == pytest.approx(240 / 255)
    row, column = np.unravel_index(found.effect.argmax(), found.effect.shape)
    assert looks[0].start - 1 <= row <= looks[0].stop
    assert looks[1].start - 1 <= column <= looks[1].stop
    assert np.abs(found.effect[: size // 3]).max() == 0  # what it does not see does not count
    cover = found.strongest
    assert cover.top < looks[0].stop
    assert cover.top + cover.side > looks[0].start
    assert found.decisive
    assert cover.probability < 0.5 * found.probability


def test_the_strongest_cover_can_be_put_there_by_hand() -> None:
    model, face = sees_only(slice(30, 46), slice(8, 24)), bright_part()
    cover = explain(model, face, 1).strongest
    by_hand = face.copy()
    by_hand[cover.top : cover.top + cover.side, cover.left : cover.left + cover.side] = round(
        float(face.mean())
    )
    assert model(by_hand[None])[0, 1] == pytest.approx(cover.probability)


def test_for_the_other_class_the_same_part_speaks_against() -> None:
    model, face = sees_only(slice(36, 42), slice(16, 32)), bright_part()
    one, other = explain(model, face, 1), explain(model, face, 0)
    assert other.effect == pytest.approx(-one.effect, abs=1e-6)
    assert not other.decisive


def test_the_cover_has_the_mean_of_each_channel() -> None:
    face = np.zeros((48, 48, 3), dtype=np.uint8)
    face[:24] = (200, 100, 0)
    covered: list[np.ndarray] = []

    def model(images: np.ndarray) -> np.ndarray:
        covered.append(images)
        return np.full((len(images), 2), 0.5)

    explain(model, face, 0)
    assert covered[-1][0, 0, 0].tolist() == [100, 50, 0]


@pytest.mark.parametrize(("kept", "decisive"), [(0.48, False), (0.46, True)])
def test_a_part_is_decisive_from_three_hundredths_on(kept: float, decisive: bool) -> None:
    def model(images: np.ndarray) -> np.ndarray:
        share = np.where(images.min(axis=(1, 2, 3)) == 0, 0.5, kept)  # the one dark pixel is hidden
        return np.stack([share, 1 - share], axis=1)

    face = np.full((48, 48, 1), 200, dtype=np.uint8)
    face[24, 24] = 0
    assert explain(model, face, 0).decisive is decisive


def test_a_model_that_looks_nowhere_rests_on_nothing() -> None:
    found = explain(lambda images: np.full((len(images), 2), 0.5), bright_part(), 0)
    assert not found.effect.any()
    assert not found.decisive


@pytest.mark.parametrize(("seconds", "asked"), [(1000.0, [1, PLACES**2]), (1e-9, [1, 1, 1, 16])])
def test_a_slow_model_is_asked_at_fewer_places(seconds: float, asked: list[int]) -> None:
    sizes: list[int] = []

    def model(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        time.sleep(0.001)
        return np.full((len(images), 2), 0.5)

    face = bright_part()
    before = face.copy()
    found = explain(model, face, 0, seconds)
    assert (face == before).all()
    assert sizes == asked
    assert found.places**2 == asked[-1]


def test_a_model_that_was_held_up_once_is_asked_at_all_places() -> None:
    sizes: list[int] = []

    def model(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        time.sleep(0.05 if len(sizes) == 1 else 0)
        return np.full((len(images), 2), 0.5)

    assert explain(model, bright_part(), 0, seconds=4.0).places == PLACES
    assert sizes == [1, 1, PLACES**2]


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (slice(40, 46), slice(20, 28), "lower middle"),
        (slice(2, 8), slice(2, 8), "upper left"),
        (slice(20, 28), slice(40, 46), "right"),
        (slice(20, 28), slice(20, 28), "middle"),
    ],
)
def test_the_place_is_said_in_words(rows: slice, columns: slice, words: str) -> None:
    face = np.zeros((48, 48, 1), dtype=np.uint8)
    face[rows, columns] = 240
    assert explain(sees_only(rows, columns), face, 1).strongest.where == words


def test_a_predictor_explains_its_own_prediction(classifier) -> None:
    face = np.full((48, 48, 3), 200, dtype=np.uint8)
    face[20:30, 20:30] = 255
    predictor = Predictor(classifier, detector=None)
    (answer,) = predictor.predict(face, whole_picture=True)
    found = predictor.explain(answer)
    assert found.probability == pytest.approx(answer.confidence)
    assert found.effect[20:30, 20:30].min() > 0  # "happy" is brightness, and the spot is bright
    assert found.strongest.top <= 20 <= 29 < found.strongest.top + found.strongest.side


def test_drawing_shows_loss_in_orange_gain_in_blue_and_the_cover() -> None:
    model, face = sees_only(slice(36, 42), slice(16, 32)), bright_part()
    orange = draw_explanation(face, explain(model, face, 1)).astype(int)
    assert orange.shape == (208, 208, 3)
    spot = orange[156:182, 69:138].reshape(-1, 3).mean(axis=0)
    assert spot[0] > spot[2] + 40
    far = orange[:60].reshape(-1, 3)
    assert (far.max(axis=1) - far.min(axis=1)).max() == 0  # grey where nothing counts
    assert (orange == 255).all(axis=2).sum() > 200  # the outline
    blue = draw_explanation(face, explain(model, face, 0)).astype(int)
    spot = blue[156:182, 69:138].reshape(-1, 3).mean(axis=0)
    assert spot[2] > spot[0] + 40
    assert not (blue == 255).all(axis=2).any()  # nothing decisive, nothing outlined
