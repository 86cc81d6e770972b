"""A face lands in the training frame, by every mode, at every size, without aliasing."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from fer_core.data.faces import Faces
from fer_core.inference.align import MODES, TEMPLATE, align_face, frame_in_picture
from fer_core.inference.alignment_study import measure_frame
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.photo import read_photo
from fer_core.labels import FER2013_CLASSES

MakeFace = Callable[..., FaceBox]


def marked_picture(face: FaceBox, shape: tuple[int, int]) -> np.ndarray:
    """Black, with a white disc at every landmark."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    picture = np.zeros((*shape, 3), dtype=np.uint8)
    radius = 0.06 * face.size
    for px, py in face.landmarks:
        picture[(x - px) ** 2 + (y - py) ** 2 < radius**2] = 255
    return picture


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", [0.6, 1, 3.3, 14])
def test_landmarks_land_on_the_template(make_face: MakeFace, mode: str, scale: float) -> None:
    face = make_face(scale, 20 * scale + 13j * scale)
    picture = marked_picture(face, (int(80 * scale), int(90 * scale)))
    aligned = align_face(picture, face, 48, mode)
    assert aligned.shape == (48, 48, 3)
    for x, y in TEMPLATE:
        window = aligned[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5, 0].astype(float)
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] + 0.5
        weight = window / window.sum()
        assert abs((columns * weight).sum() - x) < 0.6
        assert abs((rows * weight).sum() - y) < 0.6


@pytest.mark.parametrize("mode", ["eyes", "five_points", "box_rolled"])
def test_turned_head_is_set_upright(make_face: MakeFace, mode: str) -> None:
    turn = cmath.exp(0.4j)
    scale, _ = frame_in_picture(make_face(2 * turn, 90 + 20j), mode)
    assert cmath.phase(scale) == pytest.approx(0.4, abs=0.02)
    assert abs(scale) == pytest.approx(2, rel=0.02)


def test_box_alone_leaves_the_picture_upright(make_face: MakeFace) -> None:
    scale, _ = frame_in_picture(make_face(2 * cmath.exp(0.4j), 90 + 20j), "box")
    assert scale.imag == 0


def test_open_mouth_shrinks_the_face_only_by_five_points(make_face: MakeFace) -> None:
    face = make_face(2, 40 + 40j)
    landmarks = face.landmarks.copy()
    landmarks[3:, 1] += 16
    dropped = replace(face, landmarks=landmarks)
    assert abs(frame_in_picture(dropped, "five_points")[0]) > 2.1
    for mode in ("eyes", "box", "box_rolled"):
        assert abs(frame_in_picture(dropped, mode)[0]) == pytest.approx(2, rel=0.01)


def test_profile_whose_eyes_coincide_still_has_a_frame(make_face: MakeFace) -> None:
    face = make_face(2, 40 + 40j)
    landmarks = np.repeat(face.landmarks[:1], 5, axis=0)
    scale, _ = frame_in_picture(replace(face, landmarks=landmarks), "eyes")
    assert abs(scale) == pytest.approx(2, rel=0.01)


def test_fine_pattern_is_averaged_not_sampled(make_face: MakeFace) -> None:
    checks = (np.indices((900, 900)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = np.repeat(checks[:, :, None], 3, axis=2)
    aligned = align_face(picture, make_face(16, 50 + 50j), 48, "eyes").astype(int)
    assert np.abs(aligned - 127.5).max() < 4


def test_edge_is_repeated_beyond_the_picture(make_face: MakeFace) -> None:
    picture = np.full((60, 60, 3), 90, dtype=np.uint8)
    for origin in (-40 - 40j, 35 + 35j, 400 + 400j):
        assert (align_face(picture, make_face(2, origin), 48) == 90).all()


def test_frame_at_its_own_size_is_the_picture_itself(make_face: MakeFace) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    aligned = align_face(picture, make_face(), 48, "eyes").astype(int)
    assert np.abs(aligned - picture).max() <= 2


def test_size_of_the_result_is_the_one_asked_for(make_face: MakeFace) -> None:
    picture = np.zeros((300, 300, 3), dtype=np.uint8)
    for size in (32, 96, 224):
        assert align_face(picture, make_face(4, 20 + 20j), size).shape == (size, size, 3)


def test_a_smaller_side_is_the_middle_of_the_same_frame(make_face: MakeFace) -> None:
    y, x = np.mgrid[:200, :200].astype(float)
    smooth = (100 + 60 * np.sin(x / 17) + 60 * np.cos(y / 23)).round().astype(np.uint8)
    picture = np.repeat(smooth[:, :, None], 3, axis=2)
    face = make_face(2, 50 + 50j)
    whole = align_face(picture, face, 96, "box")
    half = align_face(picture, face, 48, "box", side=0.5)
    assert np.abs(whole[24:72, 24:72].astype(int) - half).max() <= 2


@pytest.mark.parametrize("turn", [1, cmath.exp(0.3j)])
@pytest.mark.parametrize("scale", [0.7, 2.6, 15])
def test_grey_is_the_brightness_of_the_coloured_face(
    make_face: MakeFace, turn: complex, scale: float
) -> None:
    y, x = np.mgrid[:900, :900] / scale
    waves = [128 + 120 * np.sin(x / a + y / b) for a, b in ((7, 30), (20, 9), (-11, 13))]
    picture = np.stack(waves, axis=2).round().astype(np.uint8)
    face = make_face(scale * turn, 80 + 40j)
    coloured = align_face(picture, face, 48, "box_rolled")
    grey = align_face(picture, face, 48, "box_rolled", grey=True)
    assert grey.shape == (48, 48, 1)
    wanted = coloured @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[:, :, 0] - wanted).max() < 1.1  # coloured pixels are rounded before
    again = align_face(grey, make_face(), 48, grey=True)
    assert again.shape == (48, 48, 1)
    assert np.ptp(grey) > 100, "there is something to compare"


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("origin", [20 + 30j, -25 - 10j, 130 + 120j])  # within, over two corners
@pytest.mark.parametrize("scale", [0.4, 0.9, 1.7, 3.4])
def test_an_upright_square_is_read_like_one_that_is_hardly_turned(
    make_face: MakeFace, scale: float, origin: complex, grey: bool
) -> None:
    """Two ways to read a square that share nothing but where it lies."""
    picture = np.random.default_rng(0).integers(0, 256, (160, 150, 3), dtype=np.uint8)
    face = make_face(scale, origin)
    eyes = np.array([[0, 0], [100, 1e-3]], dtype=np.float32)  # a hundred thousandth of a turn
    upright = align_face(picture, face, 48, "box", grey=grey)
    found = align_face(picture, replace(face, landmarks=eyes), 48, "box_rolled", grey=grey)
    assert np.abs(upright.astype(int) - found).max() <= 1
    assert np.ptp(found) > 60, "there is something to compare"


@pytest.mark.parametrize("mode", ["box", "eyes"])
def test_a_pixel_of_a_large_face_is_the_mean_of_what_lies_under_it(
    make_face: MakeFace, mode: str
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48 * 30, 48 * 30, 3), dtype=np.uint8)
    means = picture.reshape(48, 30, 48, 30, 3).mean(axis=(1, 3))
    found = align_face(picture, make_face(30), 48, mode)
    assert np.abs(found - means).max() < 1


def test_unknown_mode_is_refused_with_the_known_ones(make_face: MakeFace) -> None:
    with pytest.raises(ValueError, match="five_points"):
        frame_in_picture(make_face(), "nose")


def test_template_is_what_training_faces_show(shared_folder: Path, detector: FaceDetector) -> None:
    file = pyarrow.parquet.ParquetFile(shared_folder / "data" / "fer2013.parquet")
    rows = next(file.iter_batches(120, columns=["image", "emotion"])).to_pylist()
    images = np.stack([read_photo(row["image"]["bytes"])[:, :, :1] for row in rows])
    labels = np.array([row["emotion"] for row in rows])
    faces = Faces(images, labels, np.arange(120).astype(str), FER2013_CLASSES)
    measured = measure_frame(faces, detector)
    assert measured["found"] > 0.8
    assert np.allclose(measured["landmarks"], TEMPLATE, atol=1.5)
