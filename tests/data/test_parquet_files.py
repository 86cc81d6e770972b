"""Parquet in the Hub's layouts, from a file, a folder, a zip, and from the Hub itself."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from PIL import Image

from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES


def picture(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (16, 16), value).save(buffer, "PNG")
    return buffer.getvalue()


def write_parquet(
    path: Path, columns: dict[str, list[object]], class_names: list[str] | None = None
) -> Path:
    """An image column with row numbers as grey values, unless `columns` has one."""
    rows = len(next(iter(columns.values())))
    images = [{"bytes": picture(row), "path": f"{row}.png"} for row in range(rows)]
    table = pyarrow.table({"image": images, **columns})
    if class_names:
        features = {"label": {"names": class_names, "_type": "ClassLabel"}}
        facts = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": facts})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
    return path


def test_class_names_come_from_the_hubs_metadata(tmp_path: Path) -> None:
    names = ["happiness", "anger", "contempt"]
    faces = read_faces(write_parquet(tmp_path / "a.parquet", {"label": [0, 1, 1, -1]}, names))
    assert faces.class_names == ("angry", "happy", "contempt")
    assert faces.labels.tolist() == [1, 0, 0, -1]
    assert faces.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_numbers_0_to_6_are_fer2013s_and_others_are_only_numbered(tmp_path: Path) -> None:
    seven = read_faces(write_parquet(tmp_path / "7.parquet", {"label": list(range(7))}))
    assert seven.class_names == FER2013_CLASSES
    few = read_faces(write_parquet(tmp_path / "few.parquet", {"emotion": [0, 3]}))
    assert few.class_names == FER2013_CLASSES
    three = read_faces(write_parquet(tmp_path / "3.parquet", {"label": [0, 1, 2]}))
    assert three.class_names == ("class 0", "class 1", "class 2")
    eight = read_faces(write_parquet(tmp_path / "8.parquet", {"label": list(range(8))}))
    assert len(eight.class_names) == 8


def test_labels_and_splits_that_are_bytes_are_texts(tmp_path: Path) -> None:
    columns = {
        "label": [b"happy", b"sadness", b"", None],
        "picture": [picture(value) for value in range(4)],
        "split": [b"train", b"test", b"test", b"train"],
    }
    table = pyarrow.table(columns)
    parquet.write_table(table, tmp_path / "a.parquet")
    faces = read_faces(tmp_path / "a.parquet")
    assert faces.class_names == ("happy", "sad")
    assert faces.labels.tolist() == [0, 1, -1, -1]
    assert faces.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert faces.source_split.tolist() == ["train", "test", "test", "train"]


def test_words_as_labels_and_a_split_column(tmp_path: Path) -> None:
    columns = {
        "Expression": ["Happy", "sadness", None, "pain"],
        "usage": ["Training", "PublicTest", "PrivateTest", "nonsense"],
    }
    faces = read_faces(write_parquet(tmp_path / "a.parquet", columns))
    assert faces.class_names == ("happy", "sad")
    assert faces.labels.tolist() == [0, 1, -1]
    assert faces.source_split.tolist() == ["train", "validation", "test"]
    assert [item.where for item in faces.unreadable] == ["row 3"]
    assert "unknown split 'nonsense'" in faces.unreadable[0].reason


def test_plain_bytes_are_pictures_too_and_bad_ones_are_listed(tmp_path: Path) -> None:
    columns = {"image": [picture(9), b"junk", None], "label": ["sad", "sad", "sad"]}
    faces = read_faces(write_parquet(tmp_path / "a.parquet", columns))
    assert len(faces) == 1
    reasons = [(item.where, item.reason) for item in faces.unreadable]
    assert reasons == [
        ("row 1", "not a picture in a known format"),
        ("row 2", "no picture in this row"),
    ]


def test_a_parquet_without_labels_is_unlabelled(tmp_path: Path) -> None:
    faces = read_faces(write_parquet(tmp_path / "a.parquet", {"note": ["x", "y"]}))
    assert (faces.labels == -1).all()


def test_a_parquet_without_pictures_says_which_columns_it_has(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"a": [1], "b": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="columns are a, b"):
        read_faces(tmp_path / "a.parquet")


def test_a_parquet_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"label": ["sad"] * 50})
    data = bytearray(path.read_bytes())
    data[200:2000] = bytes(1800)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.parquet|a is damaged|a cannot be read|none of the"):
        read_faces(path)


def write_parts(folder: Path) -> Path:
    write_parquet(folder / "data" / "train-00000-of-00002.parquet", {"label": list(range(7))})
    write_parquet(folder / "data" / "train-00001-of-00002.parquet", {"label": [0, 1]})
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", {"label": [2]})
    return folder


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_several_files_are_one_set_with_the_split_of_their_names(tmp_path: Path, form: str) -> None:
    source = write_parts(tmp_path / "set")
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for file in source.rglob("*.parquet"):
                archive.write(file, file.relative_to(source))
        source = tmp_path / "set.zip"
    faces = read_faces(source)
    assert len(faces) == 10
    assert faces.class_names == FER2013_CLASSES
    assert np.unique(faces.source_split, return_counts=True)[1].tolist() == [1, 9]
    assert faces.labels[faces.source_split == "test"].tolist() == [2]


def test_files_that_do_not_belong_together_are_not_mixed(tmp_path: Path) -> None:
    for name in ("mine", "yours"):
        write_parquet(tmp_path / f"{name}.parquet", {"label": [0]})
    with pytest.raises(DataError, match=r"several data sets \(mine\.parquet, yours\.parquet\)"):
        read_faces(tmp_path)


def test_two_sets_with_a_split_each_are_not_mixed(tmp_path: Path) -> None:
    for name in ("mine", "yours"):
        write_parquet(tmp_path / name / "train.parquet", {"label": [0]})
    with pytest.raises(DataError, match="several data sets"):
        read_faces(tmp_path)


def fake_hub(
    monkeypatch: pytest.MonkeyPatch, folder: Path, facts: Callable[[str], list[Path]]
) -> list[str]:
    """Serve the files of `folder`; returns the list of what was downloaded, as it grows."""
    fetched: list[str] = []

    def dataset_info(self: object, repository: str, revision: str, **_: object) -> SimpleNamespace:
        names = [path.relative_to(folder).as_posix() for path in facts(revision)]
        return SimpleNamespace(
            siblings=[SimpleNamespace(rfilename=name, size=1000) for name in names]
        )

    def hf_hub_download(repository: str, name: str, **_: object) -> str:
        fetched.append(name)
        return str(folder / name)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    return fetched


def test_a_hub_set_is_downloaded_once_and_then_opened_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_parts(tmp_path / "hub")
    (folder / "README.md").write_text("card")
    fetched = fake_hub(monkeypatch, folder, lambda revision: sorted(folder.rglob("*.*")))
    faces = read_faces("hub:someone/faces-a")
    assert len(faces) == 10
    assert sorted(set(faces.source_split)) == ["test", "train"]
    assert faces.name == "someone/faces-a"
    assert len(fetched) == 3
    assert all(name.endswith(".parquet") for name in fetched)
    assert read_faces("hub:someone/faces-a").fingerprint == faces.fingerprint
    assert len(fetched) == 3


def test_a_hub_set_in_another_form_comes_from_the_hubs_parquet_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path / "default" / "train" / "0000.parquet", {"label": [0]})
    write_parquet(tmp_path / "default" / "validation" / "0000.parquet", {"label": [0]})
    files = sorted(tmp_path.rglob("*.parquet"))
    fake_hub(monkeypatch, tmp_path, lambda revision: [] if revision == "main" else files)
    assert sorted(read_faces("hub:someone/faces-b").source_split) == ["train", "validation"]


@pytest.mark.parametrize("name", ["", "noslash", "a/b/c", "../etc", "a/..", "a b/c"])
def test_a_wrong_hub_name_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="hub:owner/name"):
        read_faces(f"hub:{name}")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OfflineModeIsEnabled("offline"), "cannot be reached"),
        (ConnectionError("no route"), "cannot be reached"),
        (
            HfHubHTTPError(
                "no", response=SimpleNamespace(status_code=404, headers={}, request=None)
            ),
            "answered 404",
        ),
    ],
)
def test_a_hub_that_does_not_answer_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def dataset_info(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    with pytest.raises(DataError, match=message):
        read_faces("hub:someone/elsewhere")


def test_a_hub_set_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_parts(tmp_path)
    fetched = fake_hub(monkeypatch, folder, lambda revision: sorted(folder.rglob("*.parquet")))
    monkeypatch.setattr("fer_core.data.hub.MAX_DOWNLOAD_BYTES", 2000)
    with pytest.raises(DataError, match="at most"):
        read_faces("hub:someone/huge")
    assert fetched == []


def test_a_hub_set_without_parquet_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_hub(monkeypatch, tmp_path, lambda revision: [])
    with pytest.raises(DataError, match="has no parquet files"):
        read_faces("hub:someone/text")


def test_two_columns_of_one_name_are_refused_in_words(tmp_path: Path) -> None:
    rows = pyarrow.array([{"bytes": picture(1), "path": "1.png"}])
    table = pyarrow.Table.from_arrays([rows, rows], names=["image", "image"])
    parquet.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="has two columns named 'image'; rename one"):
        read_faces(tmp_path / "twice.parquet")


def no_utf8(rows: int) -> pyarrow.Array:
    """Texts of a file whose writer did not look at its bytes."""
    return pyarrow.array([b"\xff"] * rows, pyarrow.binary()).view(pyarrow.string())


@pytest.mark.parametrize("column", ["label", "usage"])
@pytest.mark.parametrize(
    "values",
    [
        pyarrow.array([2**31 - 1] * 2, pyarrow.date32()),
        pyarrow.array([2**62] * 2, pyarrow.duration("s")),
        pyarrow.array([0, 1], pyarrow.timestamp("us", tz="Nowhere/X")),
        pyarrow.array([[1], [2]]),
    ],
    ids=["day", "duration", "time zone", "list"],
)
def test_a_column_of_no_words_or_numbers_is_refused(
    tmp_path: Path, column: str, values: pyarrow.Array
) -> None:
    path = write_parquet(tmp_path / "a.parquet", {column: values})
    with pytest.raises(DataError, match=f"column '{column}' holds .*; one word or number"):
        read_faces(path)


@pytest.mark.parametrize("column", ["label", "usage"])
def test_texts_that_are_no_utf8_are_refused(tmp_path: Path, column: str) -> None:
    path = write_parquet(tmp_path / "a.parquet", {column: no_utf8(3)})
    with pytest.raises(DataError, match=r"\(.*\); get it again"):
        read_faces(path)


@pytest.mark.parametrize("names", [5, {"x": "sad"}, "deep"])
def test_class_names_in_another_form_are_none(tmp_path: Path, names: object) -> None:
    facts = json.dumps({"info": {"features": {"label": {"names": names}}}})
    table = pyarrow.table({"image": [picture(1)], "label": ["sad"]})
    facts = "[" * 100_000 if names == "deep" else facts
    parquet.write_table(
        table.replace_schema_metadata({"huggingface": facts}), tmp_path / "a.parquet"
    )
    assert read_faces(tmp_path / "a.parquet").class_names == ("sad",)
