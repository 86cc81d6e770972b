"""Studies of found faces, and views to train on."""

from pathlib import Path

import pytest
from asked import json_of
from PIL import Image

from fer_core.data.readers import read_faces
from fer_core.data.synthetic import draw_faces
from fer_core.data.views import read_views
from fer_core.paths import SHIPPED_CHECKPOINTS


def _drawn_folder(place: Path) -> None:
    """21 drawn faces, a folder for each class."""
    drawn = draw_faces(21, image_size=96, seed=3)
    for number, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        folder = place / drawn.class_names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / f"{number}.png")


def test_a_study_that_finds_no_face_is_json_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _drawn_folder(tmp_path / "faces")
    out = tmp_path / "photographs.md"
    words = ["photo-study", str(SHIPPED_CHECKPOINTS / "expressnet"), "--count", "2", "--sizes", "8"]
    capsys.readouterr()
    rows = json_of(capsys, *words, "--data", str(tmp_path / "faces"), "--out", str(out))
    assert {row["found"] for row in rows} == {0}
    assert {row["accuracy"] for row in rows} == {None}
    assert "photo-study checkpoints/expressnet --data data/faces" in out.read_text()


def test_an_alignment_study_writes_its_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "faces", tmp_path / "alignment.md"
    _drawn_folder(folder)
    words = ["alignment-study", str(SHIPPED_CHECKPOINTS / "expressnet-nano"), "--count", "2"]
    capsys.readouterr()
    found = json_of(capsys, *words, "--data", str(folder), "--turned", "0", "20", "--out", str(out))
    assert set(found) == {"0", "20"}
    assert {row["pasted"] for row in found["20"] if row["size"] == "all"} == {8}
    page = out.read_text()
    assert "turned by up to 20°" in page
    assert "checkpoints/expressnet-nano --data data/faces --count 2 --turned 0 20`" in page


def test_views_of_a_set_are_made_for_a_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "faces", tmp_path / "views.npz"
    _drawn_folder(folder)
    capsys.readouterr()
    found = json_of(capsys, "views", "--data", str(folder), "--size", "48", "--out", str(out))
    views = read_views(out, read_faces(str(folder), image_size=48))
    assert found["asked"] == 21 >= found["found"] == len(views) > 10
