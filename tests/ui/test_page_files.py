"""Photos, competition files and fine-tuning, filled in and pressed as a visitor of the page."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from standins import text_of
from visitor import Visitor

from fer_core.data.readers import read_faces
from fer_core.runs.config import RunConfig
from fer_core.ui.build import build_app
from fer_core.ui.experiments.domains import page as domain_page
from fer_core.ui.experiments.domains import tuning_page
from fer_core.ui.shared.settings import AppSettings

# Gradio makes event loops while it builds a page and leaves their sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def visitor(settings: AppSettings, write_checkpoint: Callable[..., Path]) -> Visitor:
    write_checkpoint(settings.runs_folder / "only happy", "happy")
    return Visitor(build_app(settings))


@pytest.fixture
def photo(tmp_path: Path) -> str:
    Image.linear_gradient("L").resize((60, 40)).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def test_only_the_picture_it_was_asked_for_is_taken_as_a_face(
    visitor: Visitor, photo: str, tmp_path: Path
) -> None:
    visitor.fills("predict-checkpoint", "run:only happy")
    visitor.fills("predict-photo", photo)
    visitor.does("predict-photo", "change")
    assert "No face found" in visitor.holds("predict-result")
    assert visitor.sees("predict-whole", "visible")
    visitor.does("predict-whole")
    visitor.does("predict-photo", "change")
    assert "as a whole resembles happy" in text_of(visitor.holds("predict-result"))
    assert not visitor.sees("predict-whole", "visible")
    assert "rests on" not in visitor.holds("predict-result")
    other = tmp_path / "other.png"
    Image.open(photo).rotate(90).save(other)
    visitor.fills("predict-photo", str(other))
    visitor.does("predict-photo", "change")
    assert "No face found" in visitor.holds("predict-result")


@pytest.mark.parametrize(
    ("widget", "name"),
    [("predict-photo", "change"), ("augment-upload", "upload"), ("entries-upload", "change")],
)
def test_an_upload_goes_with_the_page_that_used_it_and_nothing_else_does(
    visitor: Visitor, tmp_path: Path, photo: str, widget: str, name: str
) -> None:
    shared = tmp_path / "leaderboard.csv"
    shared.write_text("id,emotion\n")
    visitor.page.upload_file_set.add(photo)
    for path in (str(shared), photo):
        visitor.fills(widget, [path] if widget == "entries-upload" else path)
        visitor.does(widget, name)
    for path in (photo, shared):
        os.utime(path, (1000, 1000))  # what has just come is kept for a while
    visitor.meets("on_leave", "build_app")
    assert not Path(photo).exists()
    assert shared.exists()


def test_labels_of_a_solution_stay_and_its_file_goes(
    visitor: Visitor, tiny_csv: Path, tmp_path: Path
) -> None:
    faces = read_faces(tiny_csv)
    solution, entry = tmp_path / "solution.csv", tmp_path / "a.csv"
    for path in (solution, entry):
        frame = pd.DataFrame({"id": range(len(faces)), "emotion": faces.labels})
        frame.to_csv(path, index=False)
        os.utime(path, (1000, 1000))
        visitor.page.upload_file_set.add(str(path))
    visitor.fills("entries-upload", [str(entry)])
    visitor.does("entries-upload", "change")
    assert visitor.sees("entries-gflops", "visible")
    assert "as soon as the hidden labels" in visitor.holds("competition-board")
    visitor.fills("entries-gflops", pd.DataFrame([["a.csv", 0.5]], columns=["file", "GFLOPs"]))
    visitor.fills("solution-source", "drawn")
    visitor.fills("solution-upload", str(solution))
    visitor.does("solution-upload", "upload")
    assert not solution.exists()
    assert entry.exists()
    assert visitor.holds("solution-upload") is visitor.holds("solution-source") is None
    assert f"{len(faces)} hidden labels" in visitor.holds("solution-about")
    assert "200.0" in visitor.holds("competition-board"), "all right for half a GFLOP"
    visitor.fills("entries-gflops", pd.DataFrame([["a.csv", 0.25]], columns=["file", "GFLOPs"]))
    visitor.does("entries-upload", "change")
    assert visitor.holds("entries-gflops").to_numpy().tolist() == [["a.csv", 0.25]]
    visitor.fills("entries-upload", None)
    visitor.does("entries-upload", "change")
    assert not visitor.sees("entries-gflops", "visible")


def test_a_submission_has_the_columns_that_are_ticked(visitor: Visitor) -> None:
    visitor.fills("submit-checkpoint", "run:only happy")
    visitor.fills("submit-source", "drawn:70")
    visitor.does("submit-start")
    assert "70 faces" in visitor.holds("submit-status")
    for ticked, column in (("submit-names", "name"), ("submit-shares", "probability_happy")):
        for box in ("submit-names", "submit-shares"):
            visitor.fills(box, box == ticked)
        visitor.does(ticked, "input")
        columns = list(pd.read_csv(visitor.holds("submit-download")))
        assert (column in columns, len(columns) > 3) == (True, ticked == "submit-shares")


def test_a_set_of_the_list_and_a_file_of_ones_own_take_turns(visitor: Visitor, photo: str) -> None:
    visitor.fills("submit-source", "drawn")
    visitor.fills("submit-upload", photo)
    visitor.does("submit-upload", "upload")
    assert visitor.holds("submit-source") is None
    assert visitor.holds("submit-upload") == photo
    visitor.fills("submit-source", "drawn")
    visitor.does("submit-source", "input")
    assert visitor.holds("submit-upload") is None
    assert visitor.holds("submit-source") == "drawn"


def test_words_above_predicted_faces_bring_no_markup(visitor: Visitor) -> None:
    visitor.fills("submit-checkpoint", "run:only happy")
    visitor.fills("submit-source", "drawn:70")
    visitor.does("submit-start")
    visitor.fills("submit-label", "<img src=x>")
    visitor.does("submit-label", "input")
    assert "<img" not in visitor.holds("submit-words")


def test_a_fine_tuning_is_as_the_form_has_it(
    settings: AppSettings, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tuning_page.start_tuning
    monkeypatch.setattr(
        tuning_page, "start_tuning", lambda *form: real(*form, launch=lambda *asked: None)
    )
    visitor.fills("domain-checkpoint", "run:only happy")
    visitor.fills("domain-set", "drawn:70")
    visitor.does("domain-set", "input")
    visitor.fills("domain-class-0", "")
    for widget, value in (("domain-slice", 20), ("domain-frozen", 40), ("domain-rate", 0.002)):
        visitor.fills(widget, value)
    visitor.fills("domain-epochs", 7)
    visitor.does("domain-epochs", "input")
    assert "Learns from <b>12</b> images" in visitor.holds("domain-plan"), "a fifth of 60"
    visitor.fills("domain-run-name", "mine")
    visitor.does("domain-tune")
    assert visitor.holds("domain-watched") == "mine"
    config = RunConfig.from_json((settings.runs_folder / "mine" / "config.json").read_text())
    assert (config.frozen_share, config.learning_rate, config.epochs) == (0.4, 0.002, 7)
    assert [old for old, new in config.class_map.items() if not new] == ["angry"]
    assert "queued" in visitor.holds("domain-tune-status")
    assert visitor.sees("domain-tune-stop", "interactive")
    monkeypatch.setattr("gradio.Info", print)
    visitor.fills("domain-run-name", "the next one")
    visitor.does("domain-tune-stop")
    assert not visitor.sees("domain-tune-stop", "interactive")


def test_no_more_images_are_evaluated_than_asked_for(visitor: Visitor) -> None:
    visitor.fills("domain-checkpoint", "run:only happy")
    visitor.fills("domain-set", "drawn:140")
    visitor.does("domain-set", "input")
    visitor.fills("domain-limit", 21)
    visitor.fills("domain-shares", False)
    visitor.does("domain-run")
    assert visitor.holds("domain-confusion").data[0].z.sum() == 21
    assert visitor.holds("domain-status") == ""
    visitor.fills("domain-set", "drawn:70")
    visitor.does("domain-set", "input")
    assert "70 labelled grey images" in visitor.holds("domain-about")
    assert "The figures below are those of only happy" in visitor.holds("domain-status")


def test_a_stranger_has_no_more_evaluated_than_the_page_allows(
    settings: AppSettings, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_page, "PUBLIC_LIMIT", 14)
    monkeypatch.setattr(domain_page.open_sets, "allowed_source", lambda source, _: "drawn:70")
    stranger = Visitor(build_app(dataclasses.replace(settings, public=True)))
    stranger.fills("domain-checkpoint", "run:only happy")
    stranger.does("domain-set", "input")
    stranger.fills("domain-limit", 1000)
    stranger.fills("domain-shares", False)
    stranger.does("domain-run")
    assert stranger.holds("domain-confusion").data[0].z.sum() == 14
