"""Near twins: found whatever was done to the copy, and nobody else is taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fer_core.data import near_twins
from fer_core.data.faces import Faces
from fer_core.data.near_twins import alike_in_training, most_alike
from fer_core.data.split import Split


def pictures(count: int, side: int = 48, seed: int = 0) -> np.ndarray:
    """uint8 (count, side, side, 1) of soft shapes, each its own, as faces are soft."""
    random = np.random.default_rng(seed)
    small = random.integers(20, 235, (count, 6, 6), dtype=np.uint8)
    soft = [Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC) for one in small]
    return np.stack([np.asarray(one) for one in soft])[..., None]


def again(
    image: np.ndarray, crop: int = 0, quality: int = 95, mirrored: bool = False
) -> Image.Image:
    """The same picture saved once more: cropped at its edges, compressed, turned round."""
    picture = Image.fromarray(image[..., 0])
    side = picture.width
    picture = picture.crop((crop, crop, side - crop, side - crop)).resize((side, side))
    if mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=quality)
    return Image.open(kept)


@pytest.mark.parametrize(
    "change",
    [{}, {"crop": 1}, {"quality": 15}, {"mirrored": True}, {"crop": 1, "mirrored": True}],
    ids=str,
)
def test_a_copy_is_found_and_a_stranger_is_not(change: dict) -> None:
    known = pictures(40)
    copy = np.asarray(again(known[23], **change))[None, ..., None]
    stranger = pictures(1, seed=9)
    found = most_alike(np.concatenate([copy, stranger]), known)
    assert found.row[0] == 23
    assert list(found.near) == [True, False]
    assert found.likeness[1] < 0.8


def test_size_colour_light_and_contrast_of_the_copy_do_not_matter() -> None:
    known = pictures(12)
    large = np.asarray(Image.fromarray(known[5, ..., 0]).resize((100, 100)))
    dim = (large * 0.4 + 30).astype(np.uint8)
    found = most_alike(np.repeat(dim[None, ..., None], 3, axis=3), known)
    assert found.row[0] == 5
    assert found.likeness[0] > 0.97


def test_a_negative_is_the_opposite() -> None:
    known = pictures(1)
    symmetric = np.concatenate([known[:, :, :24], known[:, :, 23::-1]], axis=2)
    found = most_alike(255 - symmetric, symmetric)
    assert found.likeness[0] == pytest.approx(-1, abs=1e-4)


def test_flat_pictures_are_like_none() -> None:
    flat = np.full((2, 48, 48, 1), 128, dtype=np.uint8)
    flat[1, 0, 0] = 129
    found = most_alike(flat, flat)
    assert found.likeness == pytest.approx([0, 0])
    assert not found.near.any()


def test_blocks_change_nothing_and_progress_reaches_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, others = pictures(23), pictures(31, seed=1)
    others[30] = images[22]
    whole = most_alike(images, others)
    monkeypatch.setattr(near_twins, "_BLOCK", 7)
    told: list[tuple[int, int]] = []
    parts = most_alike(images, others, lambda done, total: told.append((done, total)))
    assert (parts.row == whole.row).all()
    assert parts.likeness == pytest.approx(whole.likeness, abs=1e-5)
    assert parts.row[22] == 30
    assert told == [(7, 31), (14, 31), (21, 31), (28, 31), (31, 31)]


def test_nothing_to_compare_with() -> None:
    found = most_alike(pictures(2), pictures(1)[:0])
    assert list(found.row) == [-1, -1]
    assert not found.near.any()


def test_parts_are_compared_with_training_alone() -> None:
    images = pictures(9)
    images[8] = images[1]  # test beside training
    images[7] = images[5]  # validation beside validation: no leak
    faces = Faces(images, np.zeros(9, int), np.arange(9).astype(str), ("happy",), name="some")
    split = Split(np.array([4, 1, 0]), np.array([5, 7]), np.array([8, 6]))
    found = alike_in_training(faces, split)
    assert list(found) == ["test", "validation"]
    assert list(found["test"].near) == [True, False]
    assert found["test"].row[0] == 1, "the place among the training rows, not in the set"
    assert not found["validation"].near.any()
    nothing = np.zeros(0, dtype=np.int64)
    assert alike_in_training(faces, Split(nothing, np.array([5]), np.array([8]))) == {}
    assert list(alike_in_training(faces, Split(np.array([1]), nothing, np.array([8])))) == ["test"]
