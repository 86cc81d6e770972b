"""Other views of a set's images: written, read, refused for another set, drawn now and then."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.data.batches import FaceTensor, training_batches
from fer_core.data.faces import DataError, Faces
from fer_core.data.policies import POLICIES
from fer_core.data.preprocess import Preprocessing
from fer_core.data.views import Views, read_views, write_views


@pytest.fixture
def views(tiny_faces: Faces) -> Views:
    """Two views of every second image: its row's number as a brightness above 100."""
    rows = np.repeat(np.arange(0, 70, 2), 2)
    images = np.broadcast_to((100 + rows).astype(np.uint8)[:, None, None, None], (70, 48, 48, 1))
    return Views(np.ascontiguousarray(images), rows)


def test_views_are_read_as_they_were_written(
    tiny_faces: Faces, views: Views, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "views.npz"
    write_views(path, views, tiny_faces)
    renamed = replace(tiny_faces, labels=6 - tiny_faces.labels, fingerprint="")
    for faces in (tiny_faces, renamed):  # labels may be read otherwise, the pixels are the same
        again = read_views(path, faces)
        assert (again.images == views.images).all()
        assert (again.rows == views.rows).all()


def test_views_that_cannot_be_written_leave_nothing_behind(
    tiny_faces: Faces, views: Views, tmp_path: Path
) -> None:
    (tmp_path / "views.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        write_views(tmp_path / "views.npz", views, tiny_faces)
    assert [path.name for path in tmp_path.iterdir()] == ["views.npz"]


def test_views_of_another_set_or_size_and_other_files_are_refused(
    tiny_faces: Faces, views: Views, tmp_path: Path
) -> None:
    path = tmp_path / "views.npz"
    write_views(path, views, tiny_faces)
    with pytest.raises(DataError, match="shows the images of another set than tiny"):
        read_views(path, replace(tiny_faces, images=tiny_faces.images + 1, fingerprint=""))
    small = replace(tiny_faces, images=tiny_faces.images[:, ::2, ::2], fingerprint="")
    with pytest.raises(DataError, match=r"the set's images are uint8 \(24, 24, 1\)"):
        read_views(path, small)
    write_views(path, Views(views.images, views.rows + 60), tiny_faces)  # rows that it has not
    with pytest.raises(DataError, match="another set"):
        read_views(path, tiny_faces)
    path.write_text("no archive")
    with pytest.raises(DataError, match=r"no whole \.npz archive with images, rows, of") as refused:
        read_views(path, tiny_faces)
    assert "pickle" not in str(refused.value)
    assert "python -m fer_core views --data DATA --out FILE" in str(refused.value)
    with pytest.raises(DataError, match="is no file of views, it is not there; make one with"):
        read_views(tmp_path / "missing.npz", tiny_faces)
    with pytest.raises(DataError, match="is no file of views, it is a folder"):
        read_views(tmp_path, tiny_faces)
    np.savez(path, images=views.images)
    with pytest.raises(DataError, match="is no file of views"):
        read_views(path, tiny_faces)
    with path.open("wb") as file:
        np.save(file, views.images)  # an array alone
    with pytest.raises(DataError, match="is no file of views"):
        read_views(path, tiny_faces)


def test_a_damaged_file_is_refused(tiny_faces: Faces, views: Views, tmp_path: Path) -> None:
    """At whatever byte it is damaged: it is read as it was, or refused in plain words."""
    path = tmp_path / "views.npz"
    noise = np.random.default_rng(0).integers(0, 256, views.images.shape, dtype=np.uint8)
    write_views(path, Views(noise, views.rows), tiny_faces)
    whole, refused = path.read_bytes(), 0
    places = [
        *range(0, len(whole), len(whole) // 60),
        *range(40),
        *range(len(whole) - 200, len(whole)),
    ]
    for place, bits in itertools.product(places, (1, 255)):  # 1: the archive's mark of encryption
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
        try:
            again = read_views(path, tiny_faces)
        except DataError:
            refused += 1
        else:
            assert (again.images == noise).all()
            assert (again.rows == views.rows).all()
    assert refused > 100
    with pytest.raises(DataError, match="is no file of views"):
        read_views("~nobody-of-this-name/views.npz", tiny_faces)


def test_a_file_is_known_again_by_its_pixels_and_rows(views: Views) -> None:
    assert views.fingerprint == Views(views.images.copy(), views.rows.copy()).fingerprint
    assert views.fingerprint != Views(views.images, views.rows + 1).fingerprint
    assert views.fingerprint != Views(views.images + 1, views.rows).fingerprint


def test_writing_leaves_nothing_beside_the_file(
    tiny_faces: Faces, views: Views, tmp_path: Path
) -> None:
    write_views(tmp_path / "views.npz", views, tiny_faces)
    write_views(tmp_path / "views.npz", views.of_part(np.arange(3)), tiny_faces)
    assert [path.name for path in tmp_path.iterdir()] == ["views.npz"]
    assert len(read_views(tmp_path / "views.npz", tiny_faces)) == 4


def test_a_part_has_the_views_of_its_own_images(views: Views) -> None:
    part = views.of_part(np.array([8, 3, 6, 2]))
    assert part.rows.tolist() == [0, 0, 2, 2, 3, 3]
    assert part.images[:, 0, 0, 0].tolist() == [108, 108, 106, 106, 102, 102]
    assert len(views.of_part(np.array([1, 3]))) == 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (1.0, 0.5), (0.4, 0.2)])
def test_a_view_takes_the_place_of_its_own_image(
    tiny_faces: Faces, views: Views, share: float, expected: float
) -> None:
    """Half of the images have views, so at most half of what is drawn are views."""
    part = FaceTensor(
        tiny_faces.images, np.arange(70), torch.device("cpu"), views=views.of_part(np.arange(70))
    )
    seen = drawn = 0
    for epoch in range(12):
        for batch in training_batches(
            part, Preprocessing(), POLICIES["none"], 16, 0, epoch, views_share=share
        ):
            pixels = ((batch.images[:, 0] + 1) / 2 * 255).round()
            flat = pixels.amax(dim=(1, 2)) == pixels.amin(dim=(1, 2))
            assert (pixels[flat, 0, 0] == 100 + batch.labels[flat]).all()
            drawn += int(flat.sum())
            seen += len(flat)
    assert seen == 12 * 70
    assert drawn / seen == pytest.approx(expected, abs=0.001 if share in (0, 1) else 0.04)


@pytest.mark.parametrize("balanced", [False, True])
def test_views_leave_the_order_of_a_run_without_them(
    tiny_faces: Faces, views: Views, balanced: bool
) -> None:
    plain = FaceTensor(tiny_faces.images, tiny_faces.labels, torch.device("cpu"))
    more = FaceTensor(
        tiny_faces.images,
        tiny_faces.labels,
        torch.device("cpu"),
        views=views.of_part(np.arange(70)),
    )
    first, second, third = (
        list(
            training_batches(
                part, Preprocessing(), POLICIES["standard"], 16, 0, 0, balanced, views_share=share
            )
        )
        for part, share in ((plain, 0.5), (more, 0.5), (more, 0.0))
    )
    for one, other, none in zip(first, second, third, strict=True):
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.images, none.images)
    assert not all(torch.equal(a.images, b.images) for a, b in zip(first, second, strict=True))
