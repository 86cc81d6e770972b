"""FER+ votes stay with their images, whatever rows cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.data.votes import NO_FACE, VOTES_FILE, Votes, has_votes, read_votes

OPTIONS = ("neutral", "happiness", "unknown", "NF")


def png(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((48, 48), grey, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def table() -> pd.DataFrame:
    """Six rows whose votes for "neutral" are their row's number; row 2 is no picture."""
    rows = range(6)
    votes = {f"ferplus_{name}": [0] * 6 for name in OPTIONS}
    votes["ferplus_neutral"] = list(rows)
    votes["ferplus_happiness"] = [10 - row for row in rows]
    images = [{"bytes": b"broken" if row == 2 else png(40 * row), "path": None} for row in rows]
    return pd.DataFrame({"image": images, "emotion": [6, 3, 6, 3, 6, 3], **votes})


@pytest.fixture
def parquet(table: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "votes.parquet"
    table.to_parquet(path)
    return path


def test_votes_stay_with_their_image_where_a_row_cannot_be_read(parquet: Path) -> None:
    faces, votes = read_faces(parquet), read_votes(parquet)
    assert len(faces) == len(votes) == 5
    assert votes.counts[:, 0].tolist() == [0, 1, 3, 4, 5]
    greys = faces.images[:, 0, 0, 0].tolist()
    assert [40 * vote for vote in votes.counts[:, 0]] == greys


def test_votes_of_some_images_come_in_their_order(parquet: Path) -> None:
    faces = read_faces(parquet)
    votes = read_votes(parquet, faces.ids[[4, 1]])
    assert votes.counts[:, 0].tolist() == [5, 1]


def test_options_have_the_projects_names(parquet: Path) -> None:
    votes = read_votes(parquet)
    assert votes.options == ("neutral", "happy", "unknown", NO_FACE)
    assert votes.expressions.tolist() == [True, True, False, False]


def test_the_published_file_beside_a_csv_is_used(tmp_path: Path) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    lines = ["emotion,pixels,Usage", f"6,{pixels},Training", "3,1 2 3,Training"]
    lines += [f"3,{pixels},PrivateTest"]
    (tmp_path / "fer2013.csv").write_text("\n".join(lines) + "\n")
    header = "Usage,Image name,neutral,happiness,unknown,NF"
    rows = ["Training,fer0000000.png,9,1,0,0", "Training,,0,0,0,10", "PrivateTest,x.png,2,7,1,0"]
    (tmp_path / VOTES_FILE).write_text("\n".join([header, *rows]) + "\n")
    votes = read_votes(tmp_path / "fer2013.csv")
    assert votes.options == ("neutral", "happy", "unknown", NO_FACE)
    assert votes.counts.tolist() == [[9, 1, 0, 0], [2, 7, 1, 0]]  # row 1 has too few pixels


@pytest.mark.parametrize("rows", [1, 209, 300])
def test_the_votes_of_another_file_are_refused(tiny_csv: Path, rows: int) -> None:
    """Any csv may lie beside FER2013 and its votes; row for row they would be somebody else's."""
    lines = ["Usage,Image name,neutral", *["Training,x,10"] * rows]
    tiny_csv.with_name(VOTES_FILE).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"votes for {rows} rows, tiny\.csv has 210; it belongs"):
        read_votes(tiny_csv)
    assert not has_votes(tiny_csv)


def test_the_training_rows_alone_get_their_votes(tiny_csv: Path) -> None:
    """Kaggle's train.csv beside the published file, which has votes for all rows."""
    lines = ["Usage,Image name,neutral"]
    lines += [f"Training,x,{row % 10}" for row in range(210)] + ["PublicTest,x,3"] * 40
    tiny_csv.with_name(VOTES_FILE).write_text("\n".join(lines) + "\n")
    assert read_votes(tiny_csv).counts[:, 0].tolist() == [row % 10 for row in range(210)]
    with tiny_csv.open("a") as file:
        file.write(tiny_csv.read_text().splitlines()[1] + "\n")
    assert not has_votes(tiny_csv)  # a changed file is counted again


def test_faces_and_votes_may_be_utf_16(tmp_path: Path, tiny_csv: Path) -> None:
    rows = len(tiny_csv.read_text().splitlines()) - 1
    votes = "Usage,Image name,happiness\n" + "Training,a.png,10\n" * rows
    tiny_csv.write_bytes(tiny_csv.read_text().encode("utf-16"))
    tiny_csv.with_name(VOTES_FILE).write_bytes(votes.encode("utf-16"))
    assert read_votes(tiny_csv).counts.tolist() == [[10]] * rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"neutral,sad\n4,many\n", "row 0 has many where"),
        (b"neutral,sad\n4,6\n5\n", "row 1 has nothing where"),
        (b"neutral\n99999999999999999999\n", "row 0 has 99999999999999999999 where"),
        (b"neutral\n-1\n", "row 0 has -1 where"),
        (b"neutral\n\xff\n", "it is no UTF-8 text"),
        (b"\n", "has votes for 0 rows"),
    ],
)
def test_what_is_wrong_with_votes_is_told(tiny_csv: Path, content: bytes, said: str) -> None:
    tiny_csv.with_name(VOTES_FILE).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_votes(tiny_csv)


def test_a_damaged_file_of_votes_is_named(tiny_csv: Path) -> None:
    tiny_csv.with_name(VOTES_FILE).write_text("Usage,Image name,neutral\nTraining,x,many\n")
    with pytest.raises(DataError, match=r"fer2013new\.csv is no readable file of votes"):
        read_votes(tiny_csv)


def test_sources_without_votes_have_none(
    tiny_csv: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.parquet"
    table[["image", "emotion"]].to_parquet(plain)
    for source in ("drawn", "hub:owner/name", tiny_csv, plain, tmp_path, tmp_path / "no.parquet"):
        assert read_votes(source) is None
        assert not has_votes(source)


@pytest.mark.parametrize("share", [0.3, float("inf")])
def test_shares_in_place_of_counts_are_refused(
    table: pd.DataFrame, tmp_path: Path, share: float
) -> None:
    table = table.astype({"ferplus_neutral": float})
    table.to_parquet(tmp_path / "votes.parquet")
    assert read_votes(tmp_path / "votes.parquet").counts[:, 0].tolist() == [0, 1, 3, 4, 5]
    table.loc[1, "ferplus_neutral"] = share
    table.to_parquet(tmp_path / "shares.parquet")
    with pytest.raises(DataError, match=f"votes must be counts, got {share:g}"):
        read_votes(tmp_path / "shares.parquet")


def test_has_votes_reads_no_image(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.data.votes.read_faces", lambda *_: pytest.fail("images read"))
    assert has_votes(parquet)


def test_merged_classes_merge_their_votes() -> None:
    votes = Votes(np.array([[1, 2, 3, 4]]), ("neutral", "sad", "fear", "unknown"))
    merged = votes.mapped({"sadness": "neutral", "fear": ""})
    assert merged.options == ("neutral", "fear", "unknown")
    assert merged.counts.tolist() == [[3, 3, 4]]


def test_votes_must_fit_their_options() -> None:
    with pytest.raises(DataError, match="3 options"):
        Votes(np.zeros((2, 2), int), ("a", "b", "c"))
    with pytest.raises(DataError, match="0 or more"):
        Votes(np.array([[-1]]), ("a",))


def test_the_real_file_has_ten_votes_for_nearly_every_face(shared_folder: Path) -> None:
    ids = np.array([f"row {row}" for row in range(35_887)])
    votes = read_votes(shared_folder / "data" / "fer2013.parquet", ids)
    assert len(votes) == 35_887
    assert np.bincount(votes.counts.sum(axis=1)).nonzero()[0].tolist() == [9, 10]
