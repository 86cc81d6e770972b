"""Competition files: a test file becomes a submission, submissions become a ranking."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from fer_core.comparison.competition.ranking import Solution, solution_of_faces
from fer_core.comparison.competition.submission import Predictions
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.ui.experiments.competition import board
from fer_core.ui.experiments.competition import page as content
from fer_core.ui.experiments.competition import predict as competition_predict
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState


@pytest.fixture
def settings(tmp_path: Path) -> AppSettings:
    (tmp_path / "data").mkdir()
    return AppSettings(tmp_path / "data", tmp_path / "runs")


@pytest.fixture
def three_rows(tmp_path: Path) -> Path:
    """Three faces, the second of which cannot be read."""
    path = tmp_path / "test.csv"
    row = " ".join(["9"] * 48 * 48)
    path.write_text(f"pixels\n{row}\n1 2 3\n{row}\n")
    return path


def predict(
    settings: AppSettings, checkpoint: str, source: str | None, file: Path | None
) -> tuple[list[tuple[Any, ...]], content.PredictedFiles]:
    kept = content.PredictedFiles()
    loaded = LoadedCheckpoints(settings.runs_folder)
    upload = None if file is None else str(file)
    steps = list(competition_predict._predict(settings, loaded, kept, checkpoint, source, upload))
    return steps, kept


def test_a_file_becomes_a_grid_and_a_submission(
    settings: AppSettings, three_rows: Path, write_checkpoint: Any
) -> None:
    write_checkpoint(settings.runs_folder / "sad", "sad")
    steps, kept = predict(settings, "run:sad", None, three_rows)
    assert steps[0][3] == gr.update(visible=False), "faces of another file stand without its name"
    status, start, stop, result, token, label = steps[-1]
    assert "2 faces" in status
    assert "are not in the file: 1 (the first, row 1" in status
    assert start["interactive"]
    assert not stop["interactive"]
    assert result["visible"]
    assert label["choices"] == [content.ANY_LABEL, *FER2013_CLASSES]
    found = kept.find(token)
    html, words, page, pages = content.page_grid(found, "sad", content.FILE_ORDER, 1)
    assert html.count("<img") == 2
    assert "face row 2, predicted sad" in html  # the number of its row
    assert (words, page, pages) == ("Faces 1 to 2 of 2 predicted as sad, page 1 of 1.", 1, 1)
    table = pd.read_csv(content.write_submission(found, names=True, probabilities=True))
    assert table["id"].tolist() == [0, 2]
    assert table["emotion"].tolist() == [4, 4]
    assert table["name"].tolist() == ["sad", "sad"]
    assert "probability_neutral" in table
    assert any("of 2 faces" in str(step[0]) for step in steps)


def test_what_cannot_be_predicted_is_told_in_words(
    settings: AppSettings, tmp_path: Path, write_checkpoint: Any
) -> None:
    write_checkpoint(settings.runs_folder / "sad", "sad")
    text = tmp_path / "<b>.csv"
    text.write_text("id,emotion\n1,2\n")
    for source, file, words in (
        (None, None, "No file was given"),
        (None, text, "no column"),
        (None, tmp_path / "gone.csv", "no readable file"),
        ("/etc/nowhere.csv", None, "There is no file or folder"),
    ):
        steps, _ = predict(settings, "run:sad", source, file)
        status, start, *_ = steps[-1]
        assert words in status
        assert "<b>.csv" not in status
        assert start["interactive"]
    assert "no checkpoint is called" in predict(settings, "run:gone", None, text)[0][-1][0]


def test_a_public_page_bounds_what_it_predicts(
    settings: AppSettings,
    three_rows: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_cache: None,
) -> None:
    public = dataclasses.replace(settings, public=True)
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    faces = content.faces_to_predict(public, None, three_rows, 48)
    assert len(faces) == 2
    assert not (tmp_path / "cache").exists()  # a stranger's file is kept nowhere
    with pytest.raises(DataError, match="only the built-in"):
        content.faces_to_predict(public, str(three_rows), None, 48)
    monkeypatch.setattr(content, "PUBLIC_ROWS", 2)
    with pytest.raises(DataError, match="more than 2 rows"):
        content.faces_to_predict(public, None, three_rows, 48)
    monkeypatch.setattr(content, "PUBLIC_BYTES", 100)
    with pytest.raises(DataError, match="Run the app on your own computer"):
        content.faces_to_predict(public, None, three_rows, 48)


@pytest.fixture
def hundred(tiny_faces: Faces) -> content.PredictedFile:
    """100 faces, named in turn after the first two classes, ever surer."""
    faces = dataclasses.replace(
        tiny_faces.subset(np.arange(100) % 70), ids=np.array([f"row {n}" for n in range(100)])
    )
    sure = np.linspace(0.51, 0.99, 100, dtype=np.float32)
    shares = np.stack([sure, 1 - sure], axis=1)  # (N, classes)
    shares[1::2] = shares[1::2, ::-1]
    names = np.arange(100).astype(str)
    return content.PredictedFile(
        faces, Predictions(shares, names, ("angry", "fear")), "a", Path("nowhere")
    )


def test_faces_are_paged_filtered_and_sorted(hundred: content.PredictedFile) -> None:
    first, words, page, pages = content.page_grid(hundred, content.ANY_LABEL, "file", 1)
    assert first.count("<img") == content.PAGE == 48
    assert (page, pages) == (1, 3)
    assert words == "Faces 1 to 48 of 100, page 1 of 3."
    last, words, page, _ = content.page_grid(hundred, content.ANY_LABEL, "file", 99)
    assert (last.count("<img"), page) == (4, 3)
    places = content.shown_places(hundred.predictions, "fear", content.LEAST_SURE)
    assert places.tolist() == list(range(1, 100, 2))
    surest = content.shown_places(hundred.predictions, content.ANY_LABEL, content.SUREST)
    assert surest.tolist() == list(range(99, -1, -1))
    none = dataclasses.replace(
        hundred, predictions=dataclasses.replace(hundred.predictions, class_names=("a", "b", "c"))
    )
    html, words, *_ = content.page_grid(none, "c", "file", 1)
    assert "No face was predicted" in html
    assert words.startswith("No face predicted as c")


def test_only_the_last_predictions_are_kept_and_no_token_can_be_guessed(
    hundred: content.PredictedFile,
) -> None:
    kept = content.PredictedFiles(most=2)
    tokens = [kept.keep(hundred.faces, hundred.predictions, "a") for _ in range(3)]
    assert len(tokens[0]) == 32
    for token in (tokens[0], "", None, "../../x"):
        with pytest.raises(DataError, match="press “Predict” again"):
            kept.find(token)
    file = content.write_submission(kept.find(tokens[1]), False, False)
    assert file.is_file()
    kept.find(tokens[2])
    kept.keep(hundred.faces, hundred.predictions, "a")
    assert not file.exists()  # leaves with its predictions


def test_a_closed_page_takes_its_predictions_along(hundred: content.PredictedFile) -> None:
    kept = content.PredictedFiles()
    mine, theirs, nobodys = (
        kept.keep(hundred.faces, hundred.predictions, "a", visitor) for visitor in ("m", "t", None)
    )
    file = content.write_submission(kept.find(mine), False, False)
    for visitor in ("m", None):
        kept.leave(visitor)
    assert not file.exists()
    with pytest.raises(DataError, match="press “Predict” again"):
        kept.find(mine)
    assert kept.find(theirs)
    assert kept.find(nobodys)


@pytest.fixture
def hidden(tiny_csv: Path) -> Solution:
    return solution_of_faces(read_faces(tiny_csv), "test")


def entry(folder: Path, name: str, labels: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    frame = pd.DataFrame({"id": range(len(labels)), "emotion": labels})
    frame.to_csv(path, index=False)
    return path


def test_files_are_ranked_and_faulty_ones_explained(hidden: Solution, tmp_path: Path) -> None:
    right = entry(tmp_path / "1", "a.csv", hidden.labels)
    wrong = entry(tmp_path / "2", "a.csv", (hidden.labels + 1) % 7)
    short = entry(tmp_path / "3", "<i>short.csv", hidden.labels[:5])
    gone = tmp_path / "4" / "gone.csv"
    named = board.unique_names([str(path) for path in (wrong, right, short, gone)])
    assert list(named) == ["a.csv", "a.csv (2)", "<i>short.csv", "gone.csv"]
    assert list(board.unique_names(["1/a.csv", "2/a.csv", "3/a.csv"]))[2] == "a.csv (3)"
    html = board.scored_html(hidden, named, {"a.csv": 0.5, "a.csv (2)": "much"})
    ranked, faulty = html.split("Not scored")
    assert "0.00" in ranked
    assert "GFLOPs must be a number, got &#x27;much&#x27;" in faulty
    assert "5 rows for 42 faces; missing ids: 37" in faulty
    assert "no longer kept" in faulty
    assert "<i>short" not in html
    html = board.scored_html(hidden, named, {"a.csv (2)": 0.5})
    assert html.index("100.00") < html.index("0.00</td>")
    assert "<td style='text-align:left'>a.csv (2)</td>" in html  # among figures, which stand right
    assert "200.0" in html  # 100 % for half a GFLOP


def test_the_board_never_holds_a_label(hidden: Solution, tmp_path: Path) -> None:
    """The same table whatever the labels are, as long as the figures are the same."""
    file = entry(tmp_path / "1", "a.csv", hidden.labels)
    other = dataclasses.replace(hidden, labels=(hidden.labels + 1) % 7)
    turned = entry(tmp_path / "2", "a.csv", other.labels)
    assert board.scored_html(hidden, {"a": file}, {}) == board.scored_html(other, {"a": turned}, {})


def test_files_beyond_the_most_are_said_to_be_left_out(hidden: Solution, tmp_path: Path) -> None:
    named = {f"{number}": tmp_path / "gone.csv" for number in range(50)}
    board_of_many = board.scored_html(hidden, named, {}, uploaded=52)
    assert "Left out: 2 files beyond the first 50" in board_of_many
    assert "left out" not in board.scored_html(hidden, named, {}, uploaded=50)


def test_without_hidden_labels_the_board_says_what_is_missing(tmp_path: Path) -> None:
    assert "as soon as the hidden labels" in board.scored_html(None, {"a": tmp_path}, {})
    assert "Upload one or more files" in board.scored_html(None, {}, {})


def test_an_uploaded_solution_is_read_or_refused_in_words(tmp_path: Path, hidden: Solution) -> None:
    file = entry(tmp_path / "up", "solution.csv", hidden.labels)
    found, words = board._uploaded_labels(str(file))
    assert found.labels.tolist() == hidden.labels.tolist()
    assert "42 hidden labels" in words
    bad = tmp_path / "up" / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    found, words = board._uploaded_labels(str(bad))
    assert found is None
    assert "must name the columns" in words


def test_an_uploaded_solution_survives_the_choice_of_a_part(settings: AppSettings) -> None:
    with gr.Blocks() as page:
        state = gr.State(None)
        shared = SharedState(state, state, gr.Timer(2, active=False), gr.Tabs(), page, {})
        board.build_board_part(settings, shared)
    choose = next(event.fn for event in page.fns.values() if event.name == "on_source")
    assert choose(None, "test") == (gr.skip(), gr.skip())


def test_hidden_labels_come_from_a_listed_set(settings: AppSettings, tiny_csv: Path) -> None:
    place = settings.data_folder / "tiny.csv"
    tiny_csv.rename(place)
    found, words = board._chosen_labels(settings, str(place), "test")
    assert len(found) == 42
    assert "42 hidden labels" in words
    public = dataclasses.replace(settings, public=True)
    found, words = board._chosen_labels(public, str(place), "test")
    assert found is None
    assert "public page" in words
    assert board._chosen_labels(settings, None, "test")[0] is None


def test_the_table_of_costs_takes_numbers_and_keeps_what_is_none() -> None:
    rows = [["a", 0.3], ["b", None], ["c", float("nan")], ["d", "x"], ["e", ""], ["f", "2"]]
    table = pd.DataFrame(rows, columns=["file", "GFLOPs"])
    assert board.gflops_of(table) == {"a": 0.3, "d": "x", "f": 2.0}
    assert board.gflops_of(None) == {}


def test_a_visitors_next_prediction_takes_the_place_of_the_last(
    hundred: content.PredictedFile,
) -> None:
    """Otherwise one visitor's many would push out everyone else's."""
    kept = content.PredictedFiles(most=3)
    theirs = kept.keep(hundred.faces, hundred.predictions, "a", "them")
    for _ in range(5):
        mine = kept.keep(hundred.faces, hundred.predictions, "a", "me")
    assert kept.find(theirs)
    assert kept.find(mine)


def test_quick_batches_are_told_now_and_then(
    settings: AppSettings, write_checkpoint: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a slow browser has not shown yet when Stop is pressed comes over the words of Stop."""
    write_checkpoint(settings.runs_folder / "sad", "sad")
    rows = "\n".join([" ".join(["9"] * 48 * 48)] * 2)
    (tmp_path / "two.csv").write_text(f"pixels\n{rows}\n")
    real = competition_predict.predict_faces

    def in_many_batches(*told: Any) -> Any:
        *_, (done, found) = real(*told)
        yield from ((done, found if batch == 99 else None) for batch in range(100))

    monkeypatch.setattr(competition_predict, "predict_faces", in_many_batches)
    steps, _ = predict(settings, "run:sad", None, tmp_path / "two.csv")
    assert "2 faces" in steps[-1][0]
    assert len(steps) < 20


def test_stop_is_said_again_after_what_was_on_its_way(
    settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CACHE", str(settings.data_folder))
    with gr.Blocks() as page:
        state = gr.State({})
        shared = SharedState(state, state, gr.Timer(2, active=False), gr.Tabs(), page, {})
        competition_predict.build_predict_part(settings, shared)
    events = list(page.fns.values())
    (cancel,) = (event for event in events if event.cancels)  # Gradio's own, beside the words
    (stop,) = (event for event in events if event.targets == cancel.targets and event != cancel)
    (again,) = (event for event in events if event.trigger_after == stop._id)
    assert (again.fn, again.outputs) == (stop.fn, stop.outputs)
