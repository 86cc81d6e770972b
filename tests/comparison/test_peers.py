"""The shipped models beside another package: the same faces, its own classes, honest figures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from serving import write_checkpoint

from fer_core.cli import main
from fer_core.comparison.peers.measure import (
    Peer,
    PeerError,
    SharedFaces,
    fer_peer,
    own_peers,
    shared_faces,
)
from fer_core.comparison.peers.table import PUBLISHED, peer_scores, peers_document
from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import RunConfig

#: The package's own order of classes differs from ours here, and each face names its class.
_ORDER = (*FER2013_CLASSES[3:], *FER2013_CLASSES[:3])
_PACKAGE = f"""
import numpy as np

class FER:
    @staticmethod
    def _get_labels():
        return dict(enumerate({_ORDER!r}))

    def _classify_emotions(self, faces):
        assert faces.shape[1:] == (64, 64) and -1 <= faces.min() and faces.max() <= 1
        wanted = np.round((faces[:, 0, 0] / 2 + 0.5) * 255).astype(int) // 10 % 7
        print('a line of its own')
        return np.eye(7)[wanted]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python with a `fer` that reads the place of its answer off the first pixel."""
    folder = tmp_path / "site"
    (folder / "fer").mkdir(parents=True)
    (folder / "fer" / "__init__.py").write_text("")
    (folder / "fer" / "fer.py").write_text(_PACKAGE)
    (folder / "cv2.py").write_text(
        "import numpy as np\n"
        "def resize(face, size):\n"
        "    return face[np.arange(size[1]) * face.shape[0] // size[1]]"
        "[:, np.arange(size[0]) * face.shape[1] // size[0]]\n"
    )
    (folder / "fer-9.1.dist-info").mkdir()
    (folder / "fer-9.1.dist-info" / "METADATA").write_text("Name: fer\nVersion: 9.1\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return sys.executable


def faces_with(labels: np.ndarray, named: np.ndarray, channels: int = 1) -> SharedFaces:
    """Faces that the pretended package names as `named`, in our order of classes."""
    images = np.full((len(labels), 48, 48, channels), 99, dtype=np.uint8)
    places = np.array([_ORDER.index(FER2013_CLASSES[one]) for one in named])
    images[:, :4, :4] = (10 * places + 5).astype(np.uint8)[:, None, None, None]
    return SharedFaces(images, labels, labels < 0, FER2013_CLASSES, "some")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_package_is_asked_and_its_classes_are_put_in_order(package: str, channels: int) -> None:
    named = np.arange(150) % 7
    peer = fer_peer(package, faces_with(np.zeros(150, dtype=np.int64), named, channels))
    assert peer.name == "fer 9.1 from PyPI"
    assert not peer.own
    assert (peer.probabilities.argmax(axis=1) == named).all()


def test_a_python_without_the_package_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cv2", "fer"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not in this one')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    faces = faces_with(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))
    with pytest.raises(PeerError, match=r"not in this one.*give a Python where"):
        fer_peer(sys.executable, faces)
    with pytest.raises(PeerError, match="cannot be started"):
        fer_peer(str(tmp_path / "no python"), faces)


def test_scores_are_paired_and_counted_without_twins(package: str, tmp_path: Path) -> None:
    labels = np.full(40, FER2013_CLASSES.index("happy"), dtype=np.int64)
    named = labels.copy()
    named[:10] = 0  # the package is right on 30 of 40
    faces = faces_with(labels, named)
    faces = SharedFaces(
        faces.images, labels, np.arange(40) < 20, faces.class_names, faces.name
    )  # its mistakes lie among the twins
    happy = load_checkpoint(write_checkpoint(tmp_path / "happy", "happy"))
    rows = peer_scores([*own_peers(happy, faces), fer_peer(package, faces)], faces)
    straight, mirrored, other = rows
    assert straight["name"] == "happy"
    assert mirrored["name"] == "happy, with the mirror image"
    assert (straight["accuracy"], other["accuracy"]) == (1.0, 0.75)
    assert other["without_twins"] == 1.0
    assert straight["difference"] == pytest.approx(0.25)
    assert straight["p_value"] == pytest.approx(2 * 0.5**10)
    assert mirrored["gflops"] == 2 * straight["gflops"]
    assert other["difference"] is None
    lines = peers_document(rows, faces).rows
    assert lines[0][-1] == "+25.0 (p 0.002)"
    assert lines[2][1] == "75.0 %"
    assert len(lines) == 3  # figures published for FER2013 do not belong beside other sets


def test_published_figures_stand_beside_private_test_only() -> None:
    labels = np.arange(3589) % 7
    faces = SharedFaces(np.zeros((3589, 1, 1, 1)), labels, labels > 6, FER2013_CLASSES, "fer2013")
    rows = peer_scores([Peer("one", np.eye(7)[labels], True)], faces)
    document = peers_document(rows, faces)
    assert [row[2] for row in document.rows[1:]] == ["published"] * len(PUBLISHED)
    assert any("PrivateTest" in note for note in document.notes)
    drawn = peers_document(rows, replace(faces, drawn=True))  # a tenth of FER2013 is as large
    assert len(drawn.rows) == 1
    assert not any("PrivateTest" in note for note in drawn.notes)


def test_two_of_one_name_keep_their_own_figures() -> None:
    labels = np.arange(14) % 7
    faces = SharedFaces(np.zeros((14, 1, 1, 1)), labels, labels > 6, FER2013_CLASSES, "some")
    right, wrong = np.eye(7)[labels], np.eye(7)[(labels + 1) % 7]
    rows = peer_scores([Peer("best", right, True), Peer("best", wrong, True)], faces)
    assert [row["without_twins"] for row in rows] == [1.0, 0.0]


def test_where_every_image_has_a_twin_there_is_no_figure_without_them() -> None:
    labels = np.arange(14) % 7
    faces = SharedFaces(np.zeros((14, 1, 1, 1)), labels, labels >= 0, FER2013_CLASSES, "some")
    rows = peer_scores([Peer("one", np.eye(7)[labels], True)], faces)
    assert rows[0]["without_twins"] is None
    assert peers_document(rows, faces).rows[0][3] == "–"


def test_models_of_different_splits_are_not_set_side_by_side(
    tiny_csv: Path, tmp_path: Path
) -> None:
    faces = read_faces(str(tiny_csv))
    one = write_checkpoint(tmp_path / "one")
    other = write_checkpoint(tmp_path / "other")
    config = RunConfig(recipe="quick", data=str(tiny_csv), split="stratified", split_seed=3)
    (other / "config.json").write_text(config.to_json())
    checkpoints = [load_checkpoint(one), load_checkpoint(other)]
    with pytest.raises(DataError, match="other trained or was tested on other images"):
        shared_faces(faces, checkpoints)
    assert len(shared_faces(faces, checkpoints[:1]).labels) == 42
    assert [shared_faces(faces, [one]).drawn for one in checkpoints] == [False, True]
    with pytest.raises(PeerError, match="no checkpoint to compare"):
        shared_faces(faces, [])


def test_the_command_writes_table_and_readme(
    package: str, tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme, out = tmp_path / "README.md", tmp_path / "peers.md"
    readme.write_text("before\n<!-- peers -->\nold\n<!-- end of peers -->\nafter\n")
    folder = write_checkpoint(tmp_path / "mine", "sad")
    words = ["peers", str(folder), "--data", str(tiny_csv), "--fer", package, "--out", str(out)]
    assert main([*words, "--readme", str(readme), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["name"] == "mine"
    assert rows[2]["name"] == "fer 9.1 from PyPI"
    assert rows[0]["accuracy"] == pytest.approx(6 / 42)  # one of seven equal classes
    text = readme.read_text()
    assert "| mine " in text
    assert "old" not in text
    assert f"python -m fer_core peers {tmp_path.name}/mine --data data/" in text
    assert package not in text
    assert text.partition("<!-- peers -->\n")[2].partition("\n\n")[0] in out.read_text()
    readme.write_text("no marks")
    assert main([*words, "--readme", str(readme)]) == 2
