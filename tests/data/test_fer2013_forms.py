"""FER2013 in every form in which people have it gives the rows of the parquet file."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.faces import Faces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES


class Fer2013Writer:
    """The tool that writes FER2013 in the forms in which people have it, its rows read once."""

    def __init__(self, tool: Path) -> None:
        facts = importlib.util.spec_from_file_location("make_fer2013", tool)
        self._tool = importlib.util.module_from_spec(facts)
        facts.loader.exec_module(self._tool)
        self._read = functools.cache(self._tool.read)

    def write(self, layout: str, path: Path, limit: int | None = None) -> Path:
        arguments = ["make_fer2013", layout, str(path)]
        if limit:
            arguments += ["--limit", str(limit)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._tool, "read", self._read)
            patch.setattr(sys, "argv", arguments)
            self._tool.main()
        return path


@pytest.fixture(scope="module")
def fer2013_writer(shared_folder: Path) -> Fer2013Writer:
    return Fer2013Writer(shared_folder / "tools" / "make_fer2013.py")


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("fer2013-csv", "fer2013.csv"),
        ("icml-csv", "icml_face_data.csv"),
        ("train-csv", "train.csv"),
        ("test-csv", "test.csv"),
        ("folders", "fer2013"),
        ("zip", "archive.zip"),
    ],
)
def test_each_form_of_fer2013_holds_the_rows_of_the_parquet(
    fer2013_writer: Fer2013Writer, tmp_path: Path, fer2013: Faces, layout: str, name: str
) -> None:
    faces = read_faces(fer2013_writer.write(layout, tmp_path / name, limit=600))
    expected = fer2013.subset(np.arange(0, 35_887, 35_887 // 600))
    if layout in ("folders", "zip"):  # another order; PublicTest and PrivateTest are one part
        rows = [int(Path(str(where)).stem.split("_")[1]) for where in faces.ids]
        expected = fer2013.subset(np.array(rows))
        own = np.where(expected.source_split == "train", "train", "test")
        assert faces.source_split.tolist() == own.tolist()
    elif layout == "train-csv":
        expected = expected.subset(expected.source_split == "train")
    elif layout == "test-csv":
        held = [expected.subset(expected.source_split == part) for part in ("validation", "test")]
        assert np.array_equal(faces.images, np.concatenate([part.images for part in held]))
        return
    else:
        assert faces.source_split.tolist() == expected.source_split.tolist()
    assert np.array_equal(faces.images, expected.images)
    assert faces.labels.tolist() == expected.labels.tolist()
    assert faces.class_names == FER2013_CLASSES
    assert faces.unreadable == ()


@pytest.mark.slow
def test_the_whole_csvs_have_the_rows_of_the_parquet(
    fer2013_writer: Fer2013Writer, tmp_path: Path, fer2013: Faces
) -> None:
    path = fer2013_writer.write("fer2013-csv", tmp_path / "fer2013.csv")
    faces = read_faces(path)
    assert len(faces) == 35_887
    assert faces.fingerprint == fer2013.fingerprint  # images, labels and split, bit for bit
    with path.open() as whole, (tmp_path / "train.csv").open("w") as train:
        train.write("emotion,pixels\n")
        train.writelines(line[:-10] + "\n" for line in whole if line.endswith(",Training\n"))
    faces = read_faces(tmp_path / "train.csv")
    assert list(faces.counts().values()) == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    assert len(faces) == 28_709
    assert faces.source_split is None
