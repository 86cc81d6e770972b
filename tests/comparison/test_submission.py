"""From faces without labels to a CSV, and from such files to places in a competition."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from fer_core.comparison.competition import prediction_files
from fer_core.comparison.competition.prediction_files import plain_id
from fer_core.comparison.competition.ranking import (
    Solution,
    rank_entrants,
    read_solution,
    run_competition,
    score_file,
    solution_of_faces,
)
from fer_core.comparison.competition.submission import (
    Predictions,
    predict_faces,
    read_small_csv,
    submission_table,
)
from fer_core.data.faces import UNLABELLED, DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.checkpoint import load_checkpoint


def pixel_rows(*greys: int) -> str:
    return "pixels\n" + "".join(" ".join([str(grey)] * 48 * 48) + "\n" for grey in greys)


def test_every_row_of_a_test_file_is_predicted(tmp_path: Path, write_checkpoint: Any) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "sad", "sad"))
    path = tmp_path / "test.csv"
    path.write_text(pixel_rows(1, 2) + "3 3\n" + pixel_rows(4, 5).removeprefix("pixels\n"))
    steps = list(predict_faces(checkpoint, read_faces(path), batch_size=3))
    assert [done for done, _ in steps] == [3, 4]
    assert steps[0][1] is None
    found = steps[-1][1]
    assert found.ids.tolist() == ["0", "1", "3", "4"]  # row 2 cannot be read
    table = submission_table(found)
    assert table.to_dict("list") == {"id": ["0", "1", "3", "4"], "emotion": [4] * 4}


def test_a_set_without_faces_is_refused(tmp_path: Path, write_checkpoint: Any) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "sad", "sad"))
    nothing = Faces(np.zeros((0, 48, 48, 1), np.uint8), np.zeros(0), np.zeros(0, str), ("a", "b"))
    with pytest.raises(DataError, match="no face to predict"):
        list(predict_faces(checkpoint, nothing))


def some_predictions(class_names: tuple[str, ...]) -> Predictions:
    shares = np.array([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2]], dtype=np.float32)
    return Predictions(shares, np.array(["0", "1"]), class_names)


def test_numbers_are_fer2013s_whatever_the_order_of_the_checkpoint() -> None:
    table = submission_table(some_predictions(("sad", "angry", "neutral")), names=True)
    assert table["emotion"].tolist() == [0, 4]
    assert table["name"].tolist() == ["angry", "sad"]


def test_a_class_beyond_fer2013_makes_names_of_all() -> None:
    table = submission_table(some_predictions(("sad", "pain", "neutral")), probabilities=True)
    assert table["emotion"].tolist() == ["pain", "sad"]
    assert table["probability_pain"].tolist() == pytest.approx([0.7, 0.3])


def test_a_strangers_file_is_read_in_memory_and_bounded(
    own_cache: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    labelled = "emotion,pixels\n3," + pixel_rows(9).removeprefix("pixels\n") + "3,1 2\n"
    faces = read_small_csv("a.csv", labelled.encode(), 5)
    assert faces.images.shape == (1, 48, 48, 1)
    assert faces.labels.tolist() == [UNLABELLED]
    assert [item.where for item in faces.unreadable] == ["row 1"]
    assert not (tmp_path / "cache").exists()
    with pytest.raises(DataError, match="more than 2 rows"):
        read_small_csv("a.csv", pixel_rows(1, 2, 3).encode(), 2)
    for content in (b"", b"id,emotion\n1,2\n", b"\0\1\2", b"pixels\n1 2 3\n"):
        with pytest.raises(DataError):
            read_small_csv("a.csv", content, 5)


@pytest.fixture
def solution() -> Solution:
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 3, 3, 4])
    return Solution(np.arange(10).astype(str), labels, FER2013_CLASSES, "hidden")


def text_of(labels: Any, ids: Any = None, **more: Any) -> bytes:
    ids = range(len(labels)) if ids is None else ids
    buffer = io.StringIO()
    pd.DataFrame({"id": list(ids), "emotion": list(labels), **more}).to_csv(buffer, index=False)
    return buffer.getvalue().encode()


def test_scores_are_scikit_learns_whatever_the_order_of_the_rows(solution: Solution) -> None:
    predicted = np.array([0, 1, 2, 3, 4, 5, 6, 0, 3, 3])
    order = np.random.default_rng(0).permutation(10)
    found = score_file("a.csv", text_of(predicted[order], order), solution)
    assert found.fault == ""
    assert found.accuracy == accuracy_score(solution.labels, predicted) == 0.8
    assert found.macro_f1 == f1_score(solution.labels, predicted, average="macro")
    assert found.interval[0] < 0.8 < found.interval[1]


def test_names_numbers_synonyms_and_other_separators_mean_the_same(solution: Solution) -> None:
    names = [FER2013_CLASSES[label] for label in solution.labels]
    names[3] = "Happiness"
    by_name = score_file("a", text_of(names), solution)
    semicolons = score_file("b", text_of(solution.labels).replace(b",", b";"), solution)
    decimals = score_file("c", text_of([f"{label}.0" for label in solution.labels]), solution)
    padded = score_file("d", text_of(solution.labels, [f"00{row}" for row in range(10)]), solution)
    assert [one.accuracy for one in (by_name, semicolons, decimals, padded)] == [1, 1, 1, 1]
    wide = text_of(names).decode().encode("utf-16")
    assert score_file("e", wide, solution).accuracy == 1
    old_mac = b"\r".join(text_of(names).splitlines())
    assert score_file("f", old_mac, solution).accuracy == 1


def test_an_expression_that_the_labels_lack_is_wrong_and_no_fault() -> None:
    hidden = Solution(np.array(["0", "1"]), np.array([0, 1]), ("happy", "sad"))
    found = score_file("a", text_of(["happy", "fear"]), hidden)
    assert (found.fault, found.accuracy) == ("", 0.5)
    assert score_file("b", text_of([3, 4]), hidden).accuracy == 1  # FER2013's numbers


def test_other_classes_are_numbered_by_their_own_order() -> None:
    hidden = read_solution("s.csv", text_of(["pain", "happy", "pain"]))
    assert hidden.class_names == ("happy", "pain")
    assert score_file("a", text_of([1, 0, 0]), hidden).accuracy == pytest.approx(2 / 3)


FAULTS = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n , \n", "must name the columns"),
    "binary.csv": (b"\x89PNG\0\0", "no CSV but a binary file"),
    "prose.csv": (b"Dear host,\nmy file is late.\n", "must name the columns id and emotion"),
    "header.csv": (b"id,emotion\n", "a header and no rows"),
    "short.csv": (text_of([0] * 9), "9 rows for 10 faces; missing ids: 1 (9)"),
    "long.csv": (text_of([0] * 12), "unknown ids: 2 (10, 11)"),
    "shifted.csv": (
        text_of([0] * 10, range(1, 11)),
        "missing ids: 1 (0); unknown ids: 1 (10",
    ),
    "twice.csv": (text_of([0] * 11, [*range(10), 3]), "more than once: 1 (3)"),
    "label.csv": (text_of([*[0] * 8, 7, "bored"]), "unknown label: 2 (7, bored)"),
    "cell.csv": (b"id,emotion\n0,\n", "1 ids"),
    "torn.csv": (b"id,emotion\n0,1\n1\n", "Line 3 has 1 of 2 columns"),
    "minus.csv": (text_of([*[0] * 9, -1]), "unknown label: 1 (-1)"),
    "gaps.csv": (b"id,emotion\n\n0,1\n\n1\n", "Line 5 has 1 of 2 columns"),
    "quote.csv": (b'id,emotion\n0,"' + b"1" * 9_000_000, "The file has 9 MB"),
    "cost.csv": (text_of([0] * 10, gflops=[1] * 9 + [2]), "one number for the whole file"),
    "free.csv": (text_of([0] * 10, gflops=0.0), "GFLOPs must be"),
    "word.csv": (text_of([0] * 10, gflops="few"), "holds no number"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_gets_a_sentence_and_the_others_are_ranked(
    name: str, solution: Solution
) -> None:
    content, words = FAULTS[name]
    if name == "cell.csv":
        content, words = text_of(["0"] * 9 + [""]), "unknown label: 1 (an empty cell)"
    good = text_of(solution.labels)
    found = run_competition({name: content, "good.csv": good}, solution)
    assert [one.name for one in found] == ["good.csv", name]
    assert found[0].rank == 1
    assert words in found[1].fault
    assert found[1].fault.endswith(".")
    assert found[1].rank is None
    assert found[1].accuracy is None


def test_too_many_rows_are_refused(solution: Solution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_files, "MOST_ROWS", 5)
    assert "at most 5 are read" in score_file("a", text_of([0] * 10), solution).fault


def test_places_by_accuracy_efficiency_and_overall(solution: Solution) -> None:
    right = solution.labels
    worse = np.where(np.arange(10) < 5, right, (right + 1) % 7)  # 50 %
    files = {
        "best": text_of(right, gflops=0.5),
        "cheap": text_of(worse, gflops=0.05),
        "cheap too": text_of(worse),
        "unknown cost": text_of(right),
    }
    found = run_competition(files, solution, {"cheap too": 0.1})
    by_name = {one.name: one for one in found}
    ranks = {name: (one.rank, one.efficiency_rank) for name, one in by_name.items()}
    assert ranks == {
        "best": (1, 3),
        "unknown cost": (1, None),
        "cheap": (3, 1),
        "cheap too": (3, 2),
    }
    assert by_name["best"].efficiency == pytest.approx(100 / 0.5)
    assert by_name["cheap"].efficiency == pytest.approx(50 / 0.05)
    overall = {name: one.overall_rank for name, one in by_name.items()}  # sums 4, 4 and 5
    assert overall == {"best": 1, "cheap": 2, "cheap too": 3, "unknown cost": None}


def test_a_cost_that_is_given_goes_before_that_of_the_file(solution: Solution) -> None:
    content = text_of(solution.labels, gflops=0.5)
    assert score_file("a", content, solution, 0.1).gflops == 0.1
    assert score_file("a", content, solution).gflops == 0.5


def test_ranking_nothing_is_nothing() -> None:
    assert rank_entrants([]) == []


def test_labels_of_a_set_are_numbered_as_a_file_cut_from_it(tiny_csv: Path) -> None:
    faces = read_faces(tiny_csv)
    test = solution_of_faces(faces, "test")
    own = np.flatnonzero(faces.source_split == "test")
    assert test.ids.tolist() == [str(row) for row in range(len(own))]
    assert test.labels.tolist() == faces.labels[own].tolist()
    both = solution_of_faces(faces, "held_out")
    cut = pd.read_csv(tiny_csv)
    cut = cut[cut["Usage"] != "Training"]  # as the challenge's test.csv was
    assert score_file("a", text_of(cut["emotion"]), both).accuracy == 1
    labels = faces.labels.copy()
    labels[own[1]] = UNLABELLED  # has its number all the same
    gap = solution_of_faces(replace(faces, labels=labels), "test")
    assert gap.ids.tolist() == ["0", *(str(row) for row in range(2, len(own)))]
    everything = solution_of_faces(faces, "all")
    assert everything.ids.tolist() == [str(row) for row in range(len(faces))]


def test_a_set_without_the_part_is_refused(tiny_faces: Faces) -> None:
    with pytest.raises(DataError, match="no split of its own"):
        solution_of_faces(tiny_faces, "test")
    unlabelled = Faces(
        tiny_faces.images, np.full(70, UNLABELLED), tiny_faces.ids, tiny_faces.class_names
    )
    with pytest.raises(DataError, match="no labelled image"):
        solution_of_faces(unlabelled)


def test_a_faulty_solution_is_refused() -> None:
    for content in (b"", b"pixels\n1\n", text_of([0, 9]), text_of([0, 1], [3, 3])):
        with pytest.raises(DataError):
            read_solution("s.csv", content)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("007", "7"),
        ("7.0", "7"),
        ("row 7", "7"),
        ("-3", "-3"),
        ("1_11", "1_11"),  # Python reads it as the number 111
        ("11_1", "11_1"),
        ("1e5", "1e5"),
        ("20240101000000001", "20240101000000001"),  # more digits than a float has
        ("7.5", "7.5"),
    ],
)
def test_ids_are_alike_only_where_they_are_one_whole_number(text: str, plain: str) -> None:
    assert plain_id(text) == plain
