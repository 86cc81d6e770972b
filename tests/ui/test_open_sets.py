"""Sets that the page keeps and opens: uploads, and files that change while they are open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.settings import AppSettings


@pytest.fixture
def home(tmp_path: Path) -> AppSettings:
    return AppSettings(tmp_path / "data", tmp_path / "runs")


def test_an_upload_is_kept_and_replaces_nothing(home: AppSettings, tmp_path: Path) -> None:
    home.data_folder.mkdir()
    (home.data_folder / "faces.zip").write_text("mine")
    upload = tmp_path / "faces.zip"
    upload.write_text("yours")
    kept = Path(open_sets.keep_upload(upload, home))
    assert kept.parent == home.data_folder
    assert kept.read_text() == "yours"
    assert (home.data_folder / "faces.zip").read_text() == "mine"


def test_an_upload_of_another_kind_is_refused(home: AppSettings, tmp_path: Path) -> None:
    upload = tmp_path / "faces.exe"
    upload.write_text("x")
    with pytest.raises(DataError, match=r"\.zip, \.csv, \.parquet"):
        open_sets.keep_upload(upload, home)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    table = tmp_path / "few.csv"
    pixels = " ".join(["7"] * 2304)
    table.write_text("emotion,pixels\n" + f"3,{pixels}\n" * 2)
    assert len(open_sets.open_faces(str(table))) == 2
    assert open_sets.is_open(str(table))
    table.write_text("emotion,pixels\n" + f"3,{pixels}\n" * 5)
    assert not open_sets.is_open(str(table))
    assert len(open_sets.open_faces(str(table))) == 5


def test_the_last_few_sets_stay_open_and_are_not_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = " ".join(["7"] * 2304)
    tables = [tmp_path / f"{number}.csv" for number in range(5)]
    read: list[str] = []

    def reading(source: str, progress: open_sets.Progress) -> Faces:
        read.append(Path(source).name)
        return read_faces(source, progress=progress)

    monkeypatch.setattr(open_sets, "read_faces", reading)
    for table in tables:
        table.write_text(f"emotion,pixels\n3,{pixels}\n")
    for table in (tables[0], tables[0], *tables[1:4], tables[0], tables[4]):
        open_sets.open_faces(str(table))
    assert read == ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"]
    opened = [open_sets.is_open(str(table)) for table in tables]
    assert opened == [True, False, True, True, True], "the one looked at longest ago goes"


def test_an_upload_that_cannot_be_kept_is_told_and_leaves_nothing(
    home: AppSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = tmp_path / "faces.zip"
    upload.write_text("whole")

    def half(source: Path, target: Path) -> None:
        Path(target).write_text("ha")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.ui.shared.open_sets.shutil.move", half)
    with pytest.raises(DataError, match=r"faces\.zip cannot be kept .*No space left"):
        open_sets.keep_upload(upload, home)
    assert list(home.data_folder.iterdir()) == []


def test_a_picture_that_comes_to_a_wrapped_folder_is_seen(tmp_path: Path) -> None:
    """As a widespread download unpacks: set/images/train/angry/1.png."""
    classes = [tmp_path / "set" / "images" / "train" / name for name in ("angry", "happy")]
    for place in classes:
        place.mkdir(parents=True)
        Image.new("L", (48, 48), 90).save(place / "1.png")
    source = str(tmp_path / "set")
    assert len(open_sets.open_faces(source)) == 2
    Image.new("L", (48, 48), 60).save(classes[0] / "2.png")
    assert len(open_sets.open_faces(source)) == 3


def test_two_uploads_of_one_name_at_the_same_time_are_both_kept(
    home: AppSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second arrives while the first is still being copied."""
    files = {}
    for name in ("mine", "yours"):
        (tmp_path / name).mkdir()
        files[name] = tmp_path / name / "faces.csv"
        files[name].write_text(name)
    move, kept = shutil.move, {}

    def slow(source: Path, target: Path) -> None:
        move(source, target)
        if Path(source) == files["mine"]:
            kept["yours"] = open_sets.keep_upload(files["yours"], home)

    monkeypatch.setattr("fer_core.ui.shared.open_sets.shutil.move", slow)
    kept["mine"] = open_sets.keep_upload(files["mine"], home)
    assert {name: Path(path).read_text() for name, path in kept.items()} == {
        "mine": "mine",
        "yours": "yours",
    }
    assert len(list(home.data_folder.iterdir())) == 2
