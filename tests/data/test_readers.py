"""`read_faces` and `list_sources`: every form people have, and clear words for what is none."""

from __future__ import annotations

import csv
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import list_sources, read_faces
from fer_core.labels import FER2013_CLASSES

USAGES = ("Training", "PublicTest", "PrivateTest")
SPLIT_OF = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}


def rows_of(faces: Faces, order: tuple[str, ...]) -> list[list[str]]:
    """The faces as csv rows with the columns of `order`; every part of the split in turn."""
    return [
        [
            {
                "emotion": str(label),
                "pixels": " ".join(map(str, image.ravel().tolist())),
                "usage": USAGES[index % 3],
            }[column.strip().lower()]
            for column in order
        ]
        for index, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True))
    ]


def write_csv(
    path: Path, order: tuple[str, ...], rows: list[list[str]], delimiter: str = ","
) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(order)
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    "order",
    [("emotion", "pixels", "Usage"), ("emotion", " Usage", " pixels"), ("Emotion", "pixels")],
)
def test_a_csv_is_read_as_it_was_written(
    tmp_path: Path, tiny_faces: Faces, order: tuple[str, ...]
) -> None:
    path = write_csv(tmp_path / "set.csv", order, rows_of(tiny_faces, order))
    faces = read_faces(path)
    assert np.array_equal(faces.images, tiny_faces.images)
    assert faces.labels.tolist() == tiny_faces.labels.tolist()
    assert faces.class_names == FER2013_CLASSES
    assert faces.name == "set"
    assert faces.source == str(path)
    assert faces.ids[:2].tolist() == ["row 0", "row 1"]
    expected = [SPLIT_OF[USAGES[index % 3]] for index in range(70)] if len(order) == 3 else None
    assert (faces.source_split is None) == (expected is None)
    assert expected is None or faces.source_split.tolist() == expected


def test_a_csv_of_pixels_alone_is_unlabelled(tmp_path: Path, tiny_faces: Faces) -> None:
    faces = read_faces(write_csv(tmp_path / "t.csv", ("pixels",), rows_of(tiny_faces, ("pixels",))))
    assert len(faces) == 70
    assert (faces.labels == -1).all()
    assert not faces.labelled


@pytest.mark.parametrize(("around", "between"), [("{}", ","), ("[{}]", ", "), ("[{}]", " ")])
def test_pixels_may_be_written_as_a_list(
    tmp_path: Path, tiny_faces: Faces, around: str, between: str
) -> None:
    order = ("emotion", "pixels")
    rows = [
        [label, around.format(pixels.replace(" ", between))]
        for label, pixels in rows_of(tiny_faces, order)
    ]
    faces = read_faces(write_csv(tmp_path / "s.csv", order, rows))
    assert np.array_equal(faces.images, tiny_faces.images)
    assert not faces.unreadable


def test_a_drawn_set_without_room_for_it_is_refused_before_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "fer_core.data.store.shutil.disk_usage", lambda folder: SimpleNamespace(free=9_000_000)
    )
    for source in ("drawn:7000", "drawn:six"):
        with pytest.raises(DataError, match="set FER_CACHE to a folder with room"):
            read_faces(source)
    assert len(read_faces("drawn:70")) == 70


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark(
    tmp_path: Path, tiny_faces: Faces, delimiter: str
) -> None:
    order = ("emotion", "pixels")
    path = write_csv(tmp_path / "s.csv", order, rows_of(tiny_faces, order), delimiter)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_faces(path).counts() == tiny_faces.counts()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_csv_is_read_in_the_encodings_that_people_have(
    tmp_path: Path, tiny_faces: Faces, encoding: str, zipped: bool
) -> None:
    order = ("emotion", "pixels", "Usage")
    rows = rows_of(tiny_faces, order)
    for row in rows:
        row[0] = f"gefühl {row[0]}"
    path = write_csv(tmp_path / "set.csv", order, rows)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    if zipped:
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            archive.write(path, "set.csv")
        path.unlink()
        path = tmp_path / "set.zip"
    faces = read_faces(path)
    assert np.array_equal(faces.images, tiny_faces.images)
    assert faces.class_names == tuple(f"gefühl {number}" for number in range(7))
    assert faces.labels.tolist() == tiny_faces.labels.tolist()
    assert faces.unreadable == ()


def test_a_csv_with_words_for_labels_keeps_unknown_ones(tmp_path: Path, tiny_faces: Faces) -> None:
    words = ["Anger", "PAIN", "happiness", "anger"]
    pixels = rows_of(tiny_faces, ("pixels",))[:4]
    rows = [[word, *row] for word, row in zip(words, pixels, strict=True)]
    faces = read_faces(write_csv(tmp_path / "words.csv", ("expression", "pixels"), rows))
    assert faces.class_names == ("angry", "happy", "pain")
    assert faces.labels.tolist() == [0, 2, 1, 0]


def test_bad_rows_of_a_csv_are_listed_with_their_number_and_reason(
    tmp_path: Path, tiny_faces: Faces
) -> None:
    rows = rows_of(tiny_faces, ("emotion", "pixels", "usage"))
    rows[3][1] = rows[3][1].rpartition(" ")[0]
    rows[5][1] = rows[5][1].rpartition(" ")[0] + " 256"
    rows[7][1] = rows[7][1].rpartition(" ")[0] + " x"
    rows[9][1] = rows[9][1].rpartition(" ")[0] + " -1"
    rows[11][0] = "7"
    rows[13][0] = "glad"
    rows[15][2] = "Sometimes"
    rows[17] = rows[17][:1]
    rows[19][1] = ""
    rows[21][1] = " ".join(["5"] * 46 * 46)  # a square, but not the one of the others
    path = write_csv(tmp_path / "bad.csv", ("emotion", "pixels", "Usage"), rows)
    faces = read_faces(path)
    found = {item.where: item.reason for item in faces.unreadable}
    assert list(found) == [f"row {row}" for row in range(3, 22, 2)]
    assert "2303 numbers, expected 2304 (48×48)" in found["row 3"]
    assert "256" in found["row 5"]
    assert "'x' is no number" in found["row 7"]
    assert "-1" in found["row 9"]
    assert "unknown label '7'" in found["row 11"]
    assert "unknown label 'glad'" in found["row 13"]
    assert "unknown split 'Sometimes'" in found["row 15"]
    assert "1 of 3 columns" in found["row 17"]
    assert "0 numbers" in found["row 19"]
    assert "2116 numbers" in found["row 21"]
    assert len(faces) == 60
    assert "row 4" in faces.ids
    assert "row 5" not in faces.ids


def test_a_blank_label_is_unlabelled(tmp_path: Path, tiny_faces: Faces) -> None:
    rows = rows_of(tiny_faces, ("emotion", "pixels"))
    rows[4][0] = ""
    faces = read_faces(write_csv(tmp_path / "blank.csv", ("emotion", "pixels"), rows))
    assert faces.labels[4] == -1
    assert not faces.unreadable


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"emotion,pixels\n", "no rows"),
        ("a.csv", b"\x00\xff\x13garbage", "no column 'pixels'"),
        ("a.csv", b"name,age\nx,3\n", "no column 'pixels'; its columns are name, age"),
        ("a.csv", b"emotion,pixels\n0,1 2 3\n", "square image"),
        ("a.csv", b"emotion,pixels\n9," + b"1 " * 2304 + b"\n", "none of the 1 pictures"),
        ("a.parquet", b"PAR1 and then nothing", "no readable parquet"),
        ("a.zip", b"PK\x03\x04 and then nothing", "no readable zip"),
        ("a.zip", b"no zip at all", "no readable zip"),
        ("a.h5", b"\x89HDF", "in no form that can be read"),
        ("a.tar.gz", b"\x1f\x8b", "unpack it first"),
        ("a.jpg", b"\xff\xd8", "put it into a folder"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_plain_words(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_faces(path)


def test_a_csv_line_without_end_stays_bounded(
    tmp_path: Path, tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.data.csv_files._MAX_LINE", 20_000)
    rows = rows_of(tiny_faces, ("emotion", "pixels"))
    path = write_csv(tmp_path / "long.csv", ("emotion", "pixels"), rows)
    with path.open("a") as file:
        file.write("3,7" + "7" * 50_000)
    faces = read_faces(path)
    assert len(faces) == 70
    assert faces.unreadable


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("", {}, "no data set was named"),
        ("nowhere/at/all", {}, "no readable file or folder"),
        ("drawn", {"image_size": 4}, "image_size must be 8 to 1024"),
        ("drawn", {"channels": 2}, "channels must be 1"),
        ("drawn:many", {}, "drawn:COUNT takes"),
        ("drawn:3", {}, "drawn:COUNT takes"),
        ("a\0b", {}, "zero byte"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    source: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_faces(source, **options)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="no readable file"):
        read_faces(tmp_path / "pipe.csv")


def test_the_drawn_faces_are_read_like_any_source() -> None:
    faces = read_faces("drawn:28", image_size=24)
    assert faces.images.shape == (28, 24, 24, 1)
    assert faces.source == "drawn:28"
    assert list(faces.counts().values()) == [4] * 7
    assert read_faces("drawn:28", image_size=24).fingerprint == faces.fingerprint


def test_progress_is_reported_up_to_the_end(tmp_path: Path, tiny_faces: Faces) -> None:
    order = ("emotion", "pixels")
    rows = rows_of(tiny_faces, order) * 8
    seen: list[tuple[int, int]] = []
    path = write_csv(tmp_path / "p.csv", order, rows)
    read_faces(path, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == [250, 500, 560]
    assert all(done <= total for done, total in seen)
    assert seen[-1] == (560, 560)


def test_list_sources_without_a_folder_is_the_drawn_faces(tmp_path: Path) -> None:
    found = list_sources(tmp_path / "none")
    assert [(item.source, item.kind) for item in found] == [
        ("drawn", "drawn"),
        ("drawn:six", "drawn"),
    ]


def test_list_sources_finds_what_can_be_read(tmp_path: Path, tiny_faces: Faces) -> None:
    order = ("emotion", "pixels")
    write_csv(tmp_path / "train.csv", order, rows_of(tiny_faces, order)[:3])
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    (tmp_path / "readme.md").write_text("hello")
    (tmp_path / "faces.zip").write_bytes(b"")
    (tmp_path / "hub.parquet").write_bytes(b"")
    (tmp_path / "photos" / "happy").mkdir(parents=True)
    (tmp_path / "photos" / "happy" / "a.jpg").write_bytes(b"x")
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "archive.zip").write_bytes(b"")
    (tmp_path / ".hidden.zip").write_bytes(b"")
    found = [(item.name, item.kind) for item in list_sources(tmp_path)[2:]]
    assert found == [
        ("faces.zip", "zip"),
        ("hub.parquet", "parquet"),
        ("kaggle/archive.zip", "zip"),
        ("photos", "folder"),
        ("train.csv", "csv"),
    ]


def test_a_data_folder_that_is_itself_a_tree_is_one_source(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part / "happy").mkdir(parents=True)
        (tmp_path / part / "happy" / "a.png").write_bytes(b"x")
    assert [item.source for item in list_sources(tmp_path)[2:]] == [str(tmp_path)]


def test_a_zip_of_csvs_gives_the_one_that_says_most(tmp_path: Path, tiny_faces: Faces) -> None:
    path = tmp_path / "challenge.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, order in (
            ("test.csv", ("pixels",)),
            ("icml_face_data.csv", ("emotion", " Usage", " pixels")),
            ("train.csv", ("emotion", "pixels")),
        ):
            table = write_csv(tmp_path / name, order, rows_of(tiny_faces, order))
            archive.write(table, f"challenge/{name}")
    faces = read_faces(path)
    assert np.array_equal(faces.images, tiny_faces.images)
    assert faces.source_split is not None


def test_a_size_that_the_set_has_anyway_is_not_decoded_again(tiny_csv: Path) -> None:
    plain = read_faces(tiny_csv)
    calls: list[int] = []
    again = read_faces(tiny_csv, image_size=48, progress=lambda done, total: calls.append(done))
    assert calls == []
    assert again.fingerprint == plain.fingerprint
    smaller = read_faces(tiny_csv, image_size=32, progress=lambda done, total: calls.append(done))
    assert smaller.image_size == (32, 32)
    assert calls
