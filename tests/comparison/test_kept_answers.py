"""Checkpoints that come without predictions: asked about their own set once, then paired."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serving import write_checkpoint

from fer_core.cli import main
from fer_core.comparison.kept_answers import answers_file, ask, lacks_answers
from fer_core.comparison.pairs import PairError, read_pair
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record, write_json
from fer_core.training.metrics import full_report

#: The set that the checkpoints here learned from, and another one.
SET, OTHER = "drawn:210", "drawn:140"


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def faces() -> Faces:
    return read_faces(SET)


def scored(folder: Path, label: str, faces: Faces) -> RunFolder:
    """A checkpoint that says `label` of everything, with the record of its test alone."""
    run = RunFolder(write_checkpoint(folder, label))
    run.config.write_text(RunConfig(model="expressnet_demo", data=SET).to_json())
    labels = faces.labels[split_faces(faces, SplitPlan()).test]
    said = np.eye(7)[np.full(len(labels), FER2013_CLASSES.index(label))] * 0.9 + 0.1 / 7
    report = full_report(said, labels, FER2013_CLASSES)
    data = {"name": faces.name, "source": SET, "fingerprint": faces.fingerprint}
    write_json(run.record, {"name": folder.name, "data": data, "device": "CPU", "test": report})
    return run


def test_two_that_were_asked_are_paired_and_their_folders_stay_as_they_were(
    tmp_path: Path, faces: Faces
) -> None:
    happy, sad = (scored(tmp_path / name, name, faces) for name in ("happy", "sad"))
    files = sorted(path.name for path in happy.path.iterdir())
    with pytest.raises(PairError, match=r"happy has no stored predictions.* whoever has its set"):
        read_pair(happy.path, sad.path)
    for run in (happy, sad):
        assert lacks_answers(run)
        steps = list(ask(load_checkpoint(run.path), faces))
        assert steps[0][0] == 0
        assert steps[-1] == (steps[-1][1], read_record(run)["test"]["n"])
        assert not lacks_answers(run)
    pair = read_pair(happy.path, sad.path)
    test = split_faces(faces, SplitPlan()).test
    assert pair.n == len(test)
    assert pair.correct_a.sum() == (faces.labels[test] == FER2013_CLASSES.index("happy")).sum()
    assert (pair.correct_b == (pair.labels == FER2013_CLASSES.index("sad"))).all()
    assert sorted(path.name for path in happy.path.iterdir()) == files
    assert answers_file(happy).is_relative_to(tmp_path / "cache")


def test_other_weights_have_to_be_asked_anew_and_a_runs_own_predictions_come_first(
    tmp_path: Path, faces: Faces
) -> None:
    run = scored(tmp_path / "one", "happy", faces)
    *_, _ = ask(load_checkpoint(run.path), faces)
    kept = answers_file(run)
    write_checkpoint(run.path, "sad")
    assert lacks_answers(run)
    assert answers_file(run) != kept
    run.predictions.write_bytes(kept.read_bytes())
    assert answers_file(run) == run.predictions
    assert not lacks_answers(run)


def test_what_was_broken_off_or_was_another_set_is_not_kept(tmp_path: Path, faces: Faces) -> None:
    run = scored(tmp_path / "one", "happy", faces)
    next(ask(load_checkpoint(run.path), faces))
    assert lacks_answers(run)
    with pytest.raises(DataError, match=rf"one was tested on {faces.name}, and drawn faces.* has"):
        next(ask(load_checkpoint(run.path), read_faces(OTHER)))
    fewer = replace(faces, source_split=np.where(np.arange(210) < 150, "train", "test"))
    with pytest.raises(DataError, match="other parts"):
        next(ask(load_checkpoint(run.path), fewer))
    record = read_record(run)
    record["test"]["accuracy"] += 0.1  # as of other images with the same number
    write_json(run.record, record)
    with pytest.raises(DataError, match="has other images"):
        list(ask(load_checkpoint(run.path), faces))
    assert lacks_answers(run)


def test_classes_of_the_set_in_another_order_are_matched_by_name(
    tmp_path: Path, faces: Faces
) -> None:
    run = scored(tmp_path / "one", "happy", faces)
    turned = replace(faces, labels=6 - faces.labels, class_names=faces.class_names[::-1])
    *_, _ = ask(load_checkpoint(run.path), turned)
    table = pd.read_parquet(answers_file(run))
    test = split_faces(faces, SplitPlan()).test
    assert (table["label"].to_numpy() == faces.labels[test]).all()
    assert (table["id"].to_numpy() == faces.ids[test].astype(str)).all()
    assert (table["probability_happy"] > 0.5).all()


def test_a_folder_without_weights_or_record_is_not_asked(tmp_path: Path) -> None:
    run = RunFolder(write_checkpoint(tmp_path / "unscored"))
    assert not lacks_answers(run)
    with pytest.raises(PairError, match="only a finished run has them"):
        read_pair(run.path, run.path)
    run.weights.unlink()
    assert answers_file(run) == run.predictions


def test_the_command_asks_first_where_the_set_is_named(
    tmp_path: Path, faces: Faces, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(scored(tmp_path / name, name, faces).path) for name in ("happy", "sad")]
    assert main(["compare", *runs, "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)["pairs"][0]["paired"]
    assert main(["compare", *runs, "--data", OTHER]) != 0
    assert "choose the file with all of" in capsys.readouterr().err
    assert main(["compare", *runs, "--data", SET, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["paired"]
