"""The gallery of mistakes: which images are in it, and why there is none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from run_folders import write_predictions

from fer_core.data.faces import DataError, Faces
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record
from fer_core.training.dataset import load_run_data
from fer_core.ui.experiments import run_board, run_details, run_views
from fer_core.ui.experiments.experiment_updates import mistakes_html
from fer_core.ui.shared.settings import AppSettings


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Only what a test makes is compared, whatever checkpoints the project ships."""
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(run_views, "SHIPPED_CHECKPOINTS", shipped)
    monkeypatch.setattr(run_board, "SHIPPED_CHECKPOINTS", shipped)
    return shipped


def test_mistakes_are_the_surest_wrong_test_images_with_their_pictures(
    settings: AppSettings, make_run: Any, tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("done", faces=tiny_faces)
    monkeypatch.setattr(run_details, "read_run_faces", lambda *arguments: tiny_faces)
    found = run_details.mistakes(settings, folder, read_record(folder))
    assert len(found) == run_details.MOST_MISTAKES
    assert found[0].caption == "true angry → predicted disgust 97\u00a0%"
    assert np.array_equal(found[0].image, tiny_faces.images[0])
    grid = mistakes_html(settings, "done")
    assert grid.count("<img") == run_details.MOST_MISTAKES
    assert "true angry → predicted disgust 97\u00a0%" in grid


def test_validation_images_are_no_mistakes_of_the_test_split(
    make_run: Any, tiny_faces: Faces
) -> None:
    folder = make_run("done", faces=tiny_faces)
    predictions = pd.read_parquet(folder.predictions)
    predictions.loc[:4, "split"] = "validation"
    wrong = run_details.wrong_predictions(predictions)
    assert wrong["place"].tolist()[0] == 5
    assert wrong["confidence"].is_monotonic_decreasing
    assert run_details.wrong_predictions(predictions.iloc[:5]).empty


def test_mistakes_whose_data_is_gone_or_changed_are_explained(
    settings: AppSettings, make_run: Any, tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object) -> Faces:
        raise DataError("there is no file faces.zip; choose another")

    folder = make_run("done", faces=tiny_faces)
    monkeypatch.setattr(run_details, "read_run_faces", gone)
    assert "cannot be read any more: there is no file" in mistakes_html(settings, "done")
    other = dataclasses.replace(tiny_faces, images=255 - tiny_faces.images, fingerprint="")
    monkeypatch.setattr(run_details, "read_run_faces", lambda *arguments: other)
    assert "has changed since" in mistakes_html(settings, "done")
    folder.predictions.unlink()
    assert "no kept predictions" in mistakes_html(settings, "done")


def test_a_set_of_the_data_folder_stands_in_only_where_the_runs_own_is_gone(
    settings: AppSettings,
    make_run: Any,
    tiny_csv: Path,
    tiny_config: RunConfig,
) -> None:
    faces = load_run_data(tiny_config).faces
    make_run("done", faces=faces, config=tiny_config)
    settings.data_folder.mkdir()
    kept = settings.data_folder / tiny_csv.name
    kept.write_text("another set")
    assert "<img" in mistakes_html(settings, "done")
    tiny_csv.rename(kept)
    assert "<img" in mistakes_html(settings, "done")


def test_what_made_no_mistakes_and_how_predictions_come_is_said(
    settings: AppSettings, make_run: Any, tiny_faces: Faces
) -> None:
    folder = make_run("right", faces=tiny_faces)
    write_predictions(folder, tiny_faces, wrong=0)
    assert "Every test image was named right." in mistakes_html(settings, "right")
    make_run("waiting", state="queued", epochs=0)
    assert "a run has them when it is finished" in mistakes_html(settings, "waiting")


def test_mistakes_of_a_run_that_left_images_out_are_shown(
    settings: AppSettings, make_run: Any, tiny_config: RunConfig
) -> None:
    config = dataclasses.replace(
        tiny_config, classes_left_out=("fear",), drop_duplicates=True, channels=3
    )
    make_run("done", faces=load_run_data(config).faces.subset(np.arange(40)), config=config)
    assert "has changed since" in mistakes_html(settings, "done")  # other images than the run's
    make_run("own", faces=load_run_data(config).faces, config=config)
    assert "<img" in mistakes_html(settings, "own")


def test_mistakes_of_a_run_whose_start_is_gone_are_shown(
    settings: AppSettings, make_run: Any, tiny_config: RunConfig
) -> None:
    faces = load_run_data(tiny_config).faces
    make_run("tuned", faces=faces, config=dataclasses.replace(tiny_config, start_from="runs/gone"))
    assert "<img" in mistakes_html(settings, "tuned")


def test_a_published_page_shows_no_images_of_the_owners_data(
    settings: AppSettings, make_run: Any, tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = dataclasses.replace(settings, public=True)
    monkeypatch.setattr(run_details, "read_run_faces", lambda *arguments: tiny_faces)
    drawn = make_run("drawn", faces=tiny_faces)
    assert "<img" in mistakes_html(public, "drawn")
    for name, path in (("own", "/home/owner/fer2013.csv"), ("near", "drawn-at-home/fer2013.csv")):
        config = dataclasses.replace(run_views.read_config(drawn), data=path)
        make_run(name, faces=tiny_faces, config=config)
        closed = mistakes_html(public, name)
        assert "not shown on this published page" in closed
        assert path not in closed
