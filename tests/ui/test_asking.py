"""The panel of the Equal budgets page that has checkpoints answer their set's test images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from budget_forms import updates
from serving import write_checkpoint

from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import write_json
from fer_core.training.metrics import full_report
from fer_core.ui.experiments import run_views
from fer_core.ui.experiments.budgets import results as budget_results
from fer_core.ui.experiments.budgets.asking import asked, lacking
from fer_core.ui.experiments.budgets.results import read_choice
from fer_core.ui.experiments.experiment_updates import mistakes_html
from fer_core.ui.experiments.run_details import MOST_MISTAKES
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

SET = "drawn:210"
PICKED = ["shipped/happy", "shipped/sad"]


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two checkpoints with the record of their test and no predictions."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    for module in (run_views, budget_results):
        monkeypatch.setattr(module, "SHIPPED_CHECKPOINTS", tmp_path / "shipped")
    faces = read_faces(SET)
    labels = faces.labels[split_faces(faces, SplitPlan()).test]
    for label in ("happy", "sad"):
        run = RunFolder(write_checkpoint(tmp_path / "shipped" / label, label))
        run.config.write_text(RunConfig(model="expressnet_demo", data=SET).to_json())
        said = np.eye(7)[np.full(len(labels), FER2013_CLASSES.index(label))]
        data = {"name": faces.name, "fingerprint": faces.fingerprint}
        report = full_report(said, labels, FER2013_CLASSES)
        write_json(run.record, {"name": label, "data": data, "device": "CPU", "test": report})
    return tmp_path / "shipped"


def test_the_panel_goes_once_the_verdict_is_image_by_image(settings: AppSettings) -> None:
    before = updates(settings, {"visited": True}, picked=PICKED)
    assert before["asking"]["visible"]
    assert "shipped/happy and shipped/sad come without answers" in before["asking_note"]
    assert "Not compared image by image" in before["verdict"]
    assert "not matched image by image" in before["class_table"]
    choice = read_choice(settings, "", PICKED)
    steps = list(asked(settings, choice, DEFAULT_DATA_CHOICE))
    assert [name for name, done, total in steps if done == total] == PICKED
    after = updates(settings, before["known"], picked=PICKED)
    assert not after["asking"]["visible"]
    assert "on the same 42 test images" in after["verdict"]


def test_its_mistakes_can_be_looked_through_afterwards(
    settings: AppSettings, shipped: Path
) -> None:
    assert "no kept predictions" in mistakes_html(settings, PICKED[0])
    list(asked(settings, read_choice(settings, "", PICKED), DEFAULT_DATA_CHOICE))
    shown = mistakes_html(settings, PICKED[0])
    assert shown.count("<img") == MOST_MISTAKES
    assert "→ predicted happy" in shown


def test_the_set_is_looked_for_in_the_data_folder(
    settings: AppSettings, shipped: Path, tiny_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a shipped checkpoint's: data/FILE, wherever the page was started."""
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    found = tiny_csv.rename(settings.data_folder / "tiny.csv")
    faces, run = read_faces(str(found)), RunFolder(shipped / "happy")
    run.config.write_text(RunConfig(model="expressnet_demo", data="data/tiny.csv").to_json())
    labels = faces.labels[split_faces(faces, SplitPlan()).test]
    said = np.eye(7)[np.full(len(labels), FER2013_CLASSES.index("happy"))]
    data = {"name": faces.name, "fingerprint": faces.fingerprint}
    report = full_report(said, labels, FER2013_CLASSES)
    write_json(run.record, {"name": "happy", "data": data, "device": "CPU", "test": report})
    monkeypatch.chdir(shipped)
    list(asked(settings, read_choice(settings, "", PICKED[:1]), DEFAULT_DATA_CHOICE))
    assert "<img" in mistakes_html(settings, PICKED[0])


def test_what_was_asked_before_a_stop_is_kept(settings: AppSettings) -> None:
    choice = read_choice(settings, "", PICKED)
    steps = asked(settings, choice, DEFAULT_DATA_CHOICE)
    for name, _, _ in steps:
        if name == PICKED[1]:
            steps.close()
            break
    assert list(lacking(choice)) == PICKED[1:]
    shown = updates(settings, {"visited": True}, picked=PICKED)
    assert "shipped/sad comes without answers" in shown["asking_note"]


def test_another_set_is_refused_in_words(
    settings: AppSettings, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(shipped / "happy")
    config = RunConfig(model="expressnet_demo", data="data/gone.csv")
    run.config.write_text(config.to_json())  # so the set of the Data tab is taken
    choice = read_choice(settings, "", PICKED)
    other: dict[str, Any] = {**DEFAULT_DATA_CHOICE, "source": "drawn:140"}
    with pytest.raises(DataError, match=r"choose the file with all of .* in the Data tab"):
        list(asked(settings, choice, other))
    assert list(lacking(choice)) == PICKED
    right = {**other, "source": SET}
    assert list(asked(settings, choice, right))[-1][0] == PICKED[1]


def test_a_published_page_asks_nothing(settings: AppSettings) -> None:
    public = replace(settings, public=True)
    shown = updates(public, {"visited": True}, picked=PICKED)
    assert not shown["asking"]["visible"]
    assert shown["asking_note"] == gr.skip()
    with pytest.raises(DataError, match="published page"):
        list(asked(public, read_choice(public, "", PICKED), DEFAULT_DATA_CHOICE))
