"""Accuracy by likeness to the training faces: each face in its band, each system in its column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from serving import write_checkpoint

from fer_core.cli import main
from fer_core.comparison.likeness.measure import Resemblance, bands, resemblance
from fer_core.comparison.likeness.table import likeness_document
from fer_core.comparison.peers.measure import Peer, SharedFaces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.checkpoint import load_checkpoint


def test_every_face_stands_in_one_band_and_in_the_sums() -> None:
    labels = np.arange(7)
    faces = SharedFaces(np.zeros((7, 1, 1, 1)), labels, labels > 9, FER2013_CLASSES, "some")
    likeness = np.array([-0.2, 0.79, 0.8, 0.9, 0.95, 0.99, 1.0], dtype=np.float64)
    same = np.array([False, True, False, True, True, False, True])
    right = Peer("right", np.eye(7)[labels], True)
    angry = Peer("angry", np.eye(7)[np.zeros(7, dtype=int)], True)
    found = bands(Resemblance(likeness, same), [right, angry], faces)
    assert [band.count for band in found] == [2, 1, 1, 1, 2, 7, 3]
    assert [band.same_label for band in found[:5]] == [0.5, 0.0, 1.0, 1.0, 0.5]
    assert {band.right[0] for band in found} == {1.0}
    assert found[0].right[1] == 0.5, "the first face is the angry one"
    assert found[-2].right[1] == pytest.approx(1 / 7)
    assert found[-1].right[1] == pytest.approx(1 / 3)
    assert found[-1].same_label == pytest.approx(1 / 3)
    document = likeness_document(found, ["right", "right"], "test", "some")
    assert [row[0] for row in document.rows] == [
        *("below 0.80", "0.80 to 0.90", "0.90 to 0.95", "0.95 to 0.99", "0.99 and more", "all"),
        "without near twins (below 0.90)",
    ]
    assert document.headers[-2:] == ("right", "right (2)"), "two of one name are told apart"
    assert len(document.records()[0]) == 6


def test_an_empty_band_has_no_figure() -> None:
    faces = SharedFaces(np.zeros((1, 1, 1, 1)), np.zeros(1), np.zeros(1), FER2013_CLASSES, "some")
    found = bands(
        Resemblance(np.array([0.5]), np.array([True])), [Peer("a", np.eye(7)[:1], True)], faces
    )
    assert found[1].count == 0
    assert found[1].right == (None,)
    assert likeness_document(found, ["a"], "test", "some").rows[1][1:] == ("0", "–", "–")


def test_a_face_that_training_has_too_is_like_itself(tiny_csv: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "one"))
    faces = read_faces(str(tiny_csv))
    test, train = (np.flatnonzero(faces.source_split == name) for name in ("test", "train"))
    images = faces.images.copy()
    images[test[4]] = images[train[11], :, ::-1]
    changed = type(faces)(
        images, faces.labels, faces.ids, faces.class_names, source_split=faces.source_split,
        name=faces.name,
    )  # fmt: skip
    found = resemblance(changed, checkpoint, "test")
    assert found.likeness[4] == pytest.approx(1)
    assert found.same_label[4] == (faces.labels[test[4]] == faces.labels[train[11]])


def test_the_command_writes_its_table(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme, out = tmp_path / "README.md", tmp_path / "near.md"
    readme.write_text("<!-- near-twins -->\nold\n<!-- end of near-twins -->\nafter\n")
    folder = write_checkpoint(tmp_path / "mine", "sad")
    words = ["near-twins", str(folder), "--data", str(tiny_csv), "--out", str(out)]
    words += ["--part", "validation", "--readme", str(readme), "--json"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[-2]["mine"] == pytest.approx(1 / 7)
    assert rows[-2]["faces"] == sum(row["faces"] for row in rows[:-2])
    text = readme.read_text()
    assert "old" not in text
    assert "--part validation" in text
    assert "without near twins (below 0.90)" in out.read_text()
