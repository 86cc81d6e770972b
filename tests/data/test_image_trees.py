"""Folders and zips of pictures: where class and split stand, sizes, and what is never read."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.faces import DataError
from fer_core.data.image_trees import classes_and_splits, is_picture_name
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES


def picture(value: int = 100, size: tuple[int, int] = (24, 24), colour: bool = False) -> bytes:
    buffer = io.BytesIO()
    mode, fill = ("RGB", (value, 10, 10)) if colour else ("L", value)
    Image.new(mode, size, fill).save(buffer, "PNG")
    return buffer.getvalue()


def write_tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["anger/1.jpg", "happiness/2.jpg"], [("angry", None), ("happy", None)]),
        (["train/sad/1.jpg", "test/sad/2.jpg"], [("sad", "train"), ("sad", "test")]),
        (
            ["Training/Fear/1.jpg", "PublicTest/Fear/2.jpg", "PrivateTest/Fear/3.jpg"],
            [("fear", "train"), ("fear", "validation"), ("fear", "test")],
        ),
        (["val/sad/1.jpg", "valid/sad/2.jpg"], [("sad", "validation"), ("sad", "validation")]),
        # deeper, and the split below the class
        (
            ["a/b/images/train/happy/1.jpg", "a/b/images/test/sad/2.jpg"],
            [("happy", "train"), ("sad", "test")],
        ),
        (["happy/train/1.jpg", "sad/test/2.jpg"], [("happy", "train"), ("sad", "test")]),
        (["happy/person 1/1.jpg", "pain/person 1/2.jpg"], [("happy", None), ("pain", None)]),
        # unknown classes are kept
        (["set/happy/1.jpg", "set/pain/2.jpg"], [("happy", None), ("pain", None)]),
        (["set/Cats/1.jpg", "set/Dogs/2.jpg"], [("cats", None), ("dogs", None)]),
        (["train/cats/x/1.jpg", "train/dogs/x/2.jpg"], [("cats", "train"), ("dogs", "train")]),
        # nothing names a class
        (["1.jpg", "2.jpg"], [(None, None), (None, None)]),
        (["holiday/1.jpg", "holiday/2.jpg"], [(None, None), (None, None)]),
        (["test/1.jpg", "test/2.jpg"], [(None, "test"), (None, "test")]),
        (["train/happy/1.jpg", "test/2.jpg"], [("happy", "train"), (None, "test")]),
    ],
)
def test_class_and_split_are_found_in_the_path(
    paths: list[str], expected: list[tuple[str | None, str | None]]
) -> None:
    assert classes_and_splits(paths) == expected


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("a/b.JPG", True),
        ("b.tiff", True),
        ("a/b.txt", False),
        ("a/jpg", False),
        (".jpg", False),
        ("a/._b.jpg", False),
        ("__MACOSX/a/b.jpg", False),
        (".git/a.png", False),
    ],
)
def test_what_counts_as_a_picture(name: str, counts: bool) -> None:
    assert is_picture_name(name) == counts


FILES = {
    "train/anger/1.png": picture(10),
    "train/happy/2.png": picture(20),
    "train/pain/3.png": picture(30),
    "test/happy/4.png": picture(40),
    "README.txt": b"about",
    "__MACOSX/train/anger/._1.png": b"junk",
}


@pytest.mark.parametrize("form", ["folder", "zip", "zip in a folder of its own"])
def test_a_tree_is_read_from_a_folder_and_from_a_zip(tmp_path: Path, form: str) -> None:
    if form == "folder":
        path = write_tree(tmp_path / "set", FILES)
    else:
        prefix = "" if form == "zip" else "archive/"
        path = write_zip(tmp_path / "set.zip", {prefix + name: FILES[name] for name in FILES})
    faces = read_faces(path)
    assert faces.images.shape == (4, 24, 24, 1)
    assert faces.class_names == ("angry", "happy", "pain")
    by_value = dict(zip(faces.images[:, 0, 0, 0].tolist(), faces.labels.tolist(), strict=True))
    assert by_value == {10: 0, 20: 1, 30: 2, 40: 1}
    assert sorted(faces.source_split.tolist()) == ["test", "train", "train", "train"]
    assert faces.name == "set"
    assert faces.unreadable == ()


def test_names_that_are_no_utf_8_become_texts_that_can_be_written(tmp_path: Path) -> None:
    """Such as those of an old archive; a run's predictions are a file of texts."""
    for folder in (b"happy", b"fr\xf6hlich"):
        place = os.path.join(os.fsencode(tmp_path), folder)
        os.mkdir(place)
        for number in range(2):
            try:
                with open(os.path.join(place, b"\xe4%d.png" % number), "wb") as file:
                    file.write(picture(10))
            except OSError:
                pytest.skip("this file system takes only names in UTF-8")
        with open(os.path.join(place, b"\xff.png"), "wb") as file:
            file.write(b"junk")
    faces = read_faces(tmp_path)
    assert faces.class_names == ("happy", "fr\\xf6hlich")
    assert faces.ids.tolist()[:2] == ["fr\\xf6hlich/\\xe40.png", "fr\\xf6hlich/\\xe41.png"]
    assert faces.unreadable[0].where == "fr\\xf6hlich/\\xff.png"


def test_folders_named_0_to_6_have_the_meaning_of_fer2013(tmp_path: Path) -> None:
    faces = read_faces(write_tree(tmp_path, {f"{n}/a.png": picture(n) for n in range(7)}))
    assert faces.class_names == FER2013_CLASSES
    assert faces.labels.tolist() == faces.images[:, 0, 0, 0].tolist()


def test_folders_named_1_to_7_keep_their_names(tmp_path: Path) -> None:
    faces = read_faces(write_tree(tmp_path, {f"{n}/a.png": picture(n) for n in range(1, 8)}))
    assert faces.class_names == ("1", "2", "3", "4", "5", "6", "7")


def test_colour_among_grey_makes_the_set_colour_and_keeps_the_grey_ones(tmp_path: Path) -> None:
    files = {
        "happy/1.png": picture(50),
        "happy/2.png": picture(200, colour=True),
        "sad/3.png": picture(70),
    }
    faces = read_faces(write_tree(tmp_path, files))
    assert faces.images.shape == (3, 24, 24, 3)
    assert faces.images[:, 0, 0].tolist() == [[50, 50, 50], [200, 10, 10], [70, 70, 70]]
    assert read_faces(tmp_path, channels=1).images.shape == (3, 24, 24, 1)


def test_several_sizes_take_the_median_and_a_wanted_size_is_kept(tmp_path: Path) -> None:
    sizes = [(20, 20), (30, 26), (40, 40), (300, 300), (30, 30)]
    files = {f"sad/{index}.png": picture(index, size) for index, size in enumerate(sizes)}
    faces = read_faces(write_tree(tmp_path, files))
    assert faces.image_size == (30, 30)
    assert faces.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert read_faces(tmp_path, image_size=64).image_size == (64, 64)


@pytest.mark.parametrize(("sizes", "side"), [((600, 600), 512), ((600, 700), 224), ((100,), 100)])
def test_large_pictures_are_bounded(tmp_path: Path, sizes: tuple[int, ...], side: int) -> None:
    files = {f"sad/{index}.png": picture(9, (size, size)) for index, size in enumerate(sizes)}
    assert read_faces(write_tree(tmp_path, files)).image_size == (side, side)


def test_damaged_pictures_are_listed_with_their_path(tmp_path: Path) -> None:
    files = {
        "happy/good.png": picture(),
        "happy/cut.png": picture()[:40],
        "sad/empty.jpg": b"",
        "sad/text.jpg": b"hello",
    }
    faces = read_faces(write_tree(tmp_path, files))
    found = {item.where: item.reason for item in faces.unreadable}
    assert set(found) == {"happy/cut.png", "sad/empty.jpg", "sad/text.jpg"}
    assert found["sad/empty.jpg"] == "empty file"
    assert len(faces) == 1


def test_pictures_in_a_split_without_class_are_unlabelled(tmp_path: Path) -> None:
    files = {"train/happy/1.png": picture(1), "test/2.png": picture(2)}
    faces = read_faces(write_tree(tmp_path, files))
    assert dict(zip(faces.source_split.tolist(), faces.labels.tolist(), strict=True)) == {
        "train": 0,
        "test": -1,
    }


def test_an_image_outside_every_part_counts_as_training(tmp_path: Path) -> None:
    files = {"test/happy/1.png": picture(1), "more/happy/2.png": picture(2)}
    faces = read_faces(write_tree(tmp_path, files))
    assert sorted(faces.source_split.tolist()) == ["test", "train"]


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    write_tree(tmp_path / "outside" / "happy", {"secret.png": picture()})
    folder = write_tree(tmp_path / "set", {"sad/1.png": picture()})
    (folder / "happy").symlink_to(tmp_path / "outside" / "happy")
    (folder / "loop").symlink_to(folder)
    assert read_faces(folder).ids.tolist() == ["sad/1.png"]


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_source_without_anything_to_read_says_what_it_holds(tmp_path: Path, form: str) -> None:
    files = {"notes.txt": b"hello", "b/c.doc": b"x"}
    make = {"folder": write_tree, "zip": write_zip}[form]
    with pytest.raises(DataError, match=r"no pictures, csv with pixels or parquet .*notes\.txt"):
        read_faces(make(tmp_path / f"set.{form}", files))


def test_a_zip_of_zips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only other zips"):
        read_faces(write_zip(tmp_path / "a.zip", {"b.zip": b"PK"}))


def test_links_and_paths_out_of_a_zip_are_listed_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "in" / "evil.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("happy/1.png", picture())
        archive.writestr("../happy/2.png", picture())
        archive.writestr("/etc/happy/3.png", picture())
        link = zipfile.ZipInfo("happy/4.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    faces = read_faces(path)
    assert faces.ids.tolist() == ["happy/1.png"]
    found = {item.where: item.reason for item in faces.unreadable}
    assert found == {
        "../happy/2.png": "its path leads out of the zip",
        "/etc/happy/3.png": "its path leads out of the zip",
        "happy/4.png": "a link, not a file",
    }
    assert [item.name for item in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", ["happy/1.png", "faces.csv", "faces.parquet"])
def test_a_damaged_lzma_zip_is_refused_in_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(name, b"pixels\n" + bytes(20_000))
    content = bytearray(path.read_bytes())
    packed = content.index(name.encode()) + len(name)
    content[packed + 20 : packed + 60] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError) as refusal:
        read_faces(path)
    assert "Corrupt input data" in str(refusal.value)


def test_a_parquet_in_a_zip_that_cannot_be_opened_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.parquet", b"PAR1")
    path.write_bytes(path.read_bytes().replace(b"a.parquet", b"b.parquet", 1))
    with pytest.raises(DataError) as refusal:
        read_faces(path)
    assert str(refusal.value).count("cannot be unpacked") == 1


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {"happy/1.bmp": bytes(70 * 2**20)})
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match=r"would unpack to 0\.1 GB, \d+ times its size"):
        read_faces(path)


def test_a_zip_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "many.zip", {f"happy/{n}.png": picture() for n in range(5)})
    monkeypatch.setattr("fer_core.data.containers.MAX_FILES", 4)
    with pytest.raises(DataError, match="holds 5 files; at most 4"):
        read_faces(path)


def test_a_zip_whose_list_is_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "list.zip", {"happy/1.png": picture()})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rfind(b"PK\x05\x06") + 12, 2**31)
    path.write_bytes(data)
    with pytest.raises(DataError, match="lists too many files"):
        read_faces(path)


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.zip", {"happy/1.png": picture()})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag of the member
    data[data.rfind(b"PK\x01\x02") + 8] |= 1  # and of its entry in the list
    path.write_bytes(data)
    with pytest.raises(DataError, match="protected by a password"):
        read_faces(path)


def test_a_damaged_member_of_a_zip_is_listed_and_the_others_are_read(tmp_path: Path) -> None:
    random = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(random).save(buffer, "PNG")
    path = write_zip(tmp_path / "d.zip", {"sad/1.png": buffer.getvalue(), "sad/2.png": picture()})
    data = bytearray(path.read_bytes())
    data[300:310] = bytes(10)
    path.write_bytes(data)
    faces = read_faces(path)
    assert faces.ids.tolist() == ["sad/2.png"]
    assert "damaged in the zip" in faces.unreadable[0].reason


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"emotion,pixels\n"), ("a.parquet", b"PAR1")]
)
def test_a_table_in_an_unknown_compression_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = write_zip(tmp_path / "odd.zip", {name: content * 100})
    data = bytearray(path.read_bytes())
    data[8] = data[data.rfind(b"PK\x01\x02") + 10] = 9  # Deflate64, which Python does not have
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot be unpacked|no pictures, csv"):
        read_faces(path)


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "cut.zip", {"happy/1.png": picture()})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="no readable zip"):
        read_faces(path)
