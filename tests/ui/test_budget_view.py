"""The Equal budgets page: the form's plan, what is shown while training, and the verdict."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from budget_forms import LINES, form, updates
from run_folders import fake_record, write_predictions

from fer_core.comparison.budgets.equal_budget import (
    BudgetError,
    Common,
    Contender,
    list_plans,
)
from fer_core.comparison.budgets.runs import ContenderState, resume_budget, start_budget
from fer_core.data.faces import Faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.record import append_epoch, read_record, write_json, write_progress
from fer_core.training.job import delete_run
from fer_core.training.metrics import full_report
from fer_core.ui.experiments import run_views
from fer_core.ui.experiments.budgets import results as budget_results
from fer_core.ui.experiments.budgets import updates as budget_updates
from fer_core.ui.experiments.budgets.form import (
    budget_command,
    form_preview,
    read_budget_form,
    start_from_budget_form,
)
from fer_core.ui.experiments.budgets.updates import PARTS
from fer_core.ui.experiments.budgets.words import progress_html
from fer_core.ui.shared.settings import AppSettings


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what a test makes is compared, whatever checkpoints the project ships."""
    for module in (run_views, budget_results):
        monkeypatch.setattr(module, "SHIPPED_CHECKPOINTS", tmp_path / "shipped")


def finish(folder: RunFolder, faces: Faces, wrong: int) -> None:
    """Give a run a test result: the first `wrong` images named as the next class."""
    labels = faces.labels.copy()
    labels[:wrong] = (labels[:wrong] + 1) % 7
    write_predictions(folder, faces, wrong)
    record = fake_record(folder.name, run_views.read_config(folder), 0.5, 2, faces)
    record["test"] = full_report(np.eye(7)[labels], faces.labels, FER2013_CLASSES)
    for epoch in (1, 2):
        append_epoch(
            folder,
            {
                "epoch": epoch,
                "validation_accuracy": 0.3 * epoch,
                "validation_loss": 1.0 / epoch,
                "updates": 5 * epoch,
                "train_seconds": 2.0 * epoch,
                "images_seen": 70 * epoch,
            },
        )
    write_json(folder.record, record)
    write_progress(folder, dataclasses.replace(run_views.read_progress(folder), state="finished"))


@pytest.fixture
def race(settings: AppSettings) -> list[RunFolder]:
    """A stored comparison whose runs wait in the queue."""
    plan = read_budget_form(*form())
    return start_budget(plan, settings.runs_folder, launch=lambda folder, device: None)


def test_texts_from_outside_are_escaped(settings: AppSettings) -> None:
    _, table, _ = form_preview(
        settings, *form(lines=[LINES[0], ("quick", "none", "data_is='<b>x</b>' model_options={}")])
    )
    assert "<b>x" not in table
    plan = read_budget_form(*form())
    state = ContenderState("<script>", "run", "failed", 0.0, "<img src=x>")
    shown = progress_html(plan, [state, state], public=False)
    assert "<script>" not in shown
    assert "<img" not in shown
    assert "src=x" not in progress_html(plan, [state, state], public=True)


def test_a_published_page_starts_nothing(settings: AppSettings) -> None:
    public = dataclasses.replace(settings, public=True)
    with pytest.raises(BudgetError, match="closed on this published page"):
        start_from_budget_form(public, *form())
    with pytest.raises(BudgetError, match="closed on this published page"):
        budget_results.needed_plan(public, "race")
    assert list_plans(settings.runs_folder) == []
    plan = dataclasses.replace(
        read_budget_form(*form()), common=Common(data="/home/owner/secret/faces.csv")
    )
    assert "secret" not in budget_command(plan, hide_path=True)
    start = Contender("quick", ("start_from=/home/owner/secret/base",))
    plan = dataclasses.replace(plan, contenders=(start, Contender("quick")), common=Common())
    assert "start_from=secret/base" in budget_command(plan, hide_path=True)
    assert "/home/owner" not in budget_command(plan, hide_path=True)


def test_without_runs_the_page_says_what_to_do(settings: AppSettings) -> None:
    shown = updates(settings)
    assert shown["empty"]["visible"]
    assert not shown["body"]["visible"]
    assert updates(settings, shown["known"]) == dict.fromkeys(PARTS, gr.skip())


def test_while_contenders_train_their_progress_is_shown(
    settings: AppSettings, race: list[RunFolder], tiny_faces: Faces
) -> None:
    shown = updates(settings)
    assert shown["stop"]["visible"]
    assert not shown["resume"]["visible"]
    assert "0 of 2 finished" in shown["progress"]["value"]
    assert "when two contenders are finished" in shown["verdict"]
    assert not shown["class_group"]["visible"]
    assert shown["stored"]["choices"] == [("race", "race"), ("runs chosen by hand", "")]
    published = updates(dataclasses.replace(settings, public=True))
    assert not published["stop"]["visible"]
    assert "0 of 2 finished" in published["progress"]["value"]
    finish(race[0], tiny_faces, wrong=10)
    later = updates(settings, shown["known"], stored="race")
    assert "1 of 2 finished" in later["progress"]["value"]
    assert "aria-valuenow='50'" in later["progress"]["value"]
    assert "the verdict comes with the second" in later["verdict"]
    assert len(later["accuracy"].data) == 1


def test_a_deleted_contender_can_be_trained_again(
    settings: AppSettings, race: list[RunFolder], tiny_faces: Faces
) -> None:
    finish(race[0], tiny_faces, wrong=10)
    delete_run(race[1])
    shown = updates(settings)
    assert "it was deleted" in shown["progress"]["value"]
    assert shown["resume"]["visible"]
    plan = budget_results.needed_plan(settings, "race")
    assert resume_budget(plan, settings.runs_folder, launch=lambda folder, device: None) == 1
    assert not updates(settings)["resume"]["visible"]


def test_the_verdict_of_a_finished_comparison(
    settings: AppSettings, race: list[RunFolder], tiny_faces: Faces
) -> None:
    finish(race[0], tiny_faces, wrong=35)
    finish(race[1], tiny_faces, wrong=10)
    shown = updates(settings)
    verdict = shown["verdict"]
    assert (
        "is more accurate than quick on the same 70 test images: 85.7 % against 50.0 %" in verdict
    )
    assert "more than noise" in verdict
    assert not shown["pair"]["visible"]
    assert not shown["stop"]["visible"]
    assert shown["spent"]["value"].count("<tr>") == 3
    assert "140" in shown["spent"]["value"]
    assert "the same epochs, updates and seconds" in shown["spent"]["value"]
    bars = shown["class_chart"].data[0]
    assert len(bars.x) == 7
    assert min(bars.x) > 0  # the better one is to the right in every class
    assert shown["class_table"].count("<tr>") == 8
    assert "budget race --contender quick" in shown["command"]
    known = shown["known"]
    assert updates(settings, known, stored="race") == dict.fromkeys(PARTS, gr.skip())
    again = updates(settings, known, stored="race", axis="updates", measure="f1")
    assert list(again["accuracy"].data[0].x) == [5, 10]
    assert "F1 %" in again["class_table"]
    untested = again["class_chart"].data[0].marker.opacity
    assert max(bars.marker.opacity) < min(untested), "of the recall alone it is known to be noise"
    assert again["verdict"] == gr.skip()


def test_any_finished_runs_can_be_compared(
    settings: AppSettings, make_run: Any, tiny_faces: Faces
) -> None:
    for name, wrong in (("one", 10), ("two", 12), ("three", 30)):
        finish(make_run(name, state="running", epochs=0), tiny_faces, wrong)
    make_run("waiting", state="queued", epochs=0)
    shown = updates(settings)
    assert (shown["stored"]["value"], shown["picked"]["value"]) == ("", ["one", "two"])
    assert "within noise" in shown["verdict"]
    assert "<b class='mark'>noise</b>" in shown["verdict"]
    assert "p (Holm)" not in shown["verdict"], "two runs are one pair"
    assert not shown["progress"]["visible"]
    assert "compare" in shown["command"]
    three = updates(settings, shown["known"], picked=["one", "two", "three", "waiting"])
    assert three["picked"]["value"] == ["one", "two", "three"]
    assert three["pair"]["choices"] == [
        "one against two",
        "one against three",
        "two against three",
    ]
    assert "p (Holm)" in three["verdict"]
    assert "<b class='mark clear'>more than noise</b>" in three["verdict"], "one pair is enough"
    two = updates(settings, three["known"], picked=["one", "three"])
    assert two["picked"] == gr.update(visible=True), "a run picked meanwhile would be taken out"
    assert two["stored"] == gr.skip()
    other = updates(
        settings, three["known"], picked=["one", "two", "three"], pair="two against three"
    )
    assert "two is more accurate than three" in other["verdict"]
    assert other["accuracy"] == gr.skip()


def test_runs_of_different_sets_are_neither_offered_first_nor_judged(
    settings: AppSettings, make_run: Any, tiny_faces: Faces
) -> None:
    other = dataclasses.replace(tiny_faces, name="photographs", fingerprint="2e")
    finish(make_run("drawn", state="running", epochs=0), tiny_faces, 10)
    finish(make_run("found", state="running", epochs=0), other, 35)
    for folder in settings.runs_folder.glob("*/record.json"):
        record = json.loads(folder.read_text())
        record["data"]["source"] = record["data"]["name"]
        write_json(folder, record)
    shown = updates(settings)
    assert shown["picked"]["value"] == []
    assert "tested on the same set" in shown["verdict"]
    shown = updates(settings, shown["known"], picked=["drawn", "found"])
    assert "different test sets" in shown["verdict"]
    assert "more than noise" not in shown["verdict"]
    assert not shown["class_chart"].data  # bars would say which is better
    assert "not compared" in shown["class_chart"].layout.annotations[0].text


def test_too_few_or_damaged_choices_are_answered_in_words(
    settings: AppSettings, make_run: Any, tiny_faces: Faces
) -> None:
    for name in ("one", "two"):
        finish(make_run(name, state="running", epochs=0), tiny_faces, 10)
    seen = {"visited": True}
    assert "Choose at least two" in updates(settings, seen, picked=["one"])["verdict"]
    assert "Choose at least two" in updates(settings, seen, picked=["../one", 7])["verdict"]
    assert updates(settings, seen, stored="gone")["stored"]["value"] == ""
    record = read_record(run_views.find_run(settings.runs_folder, "two"))
    del record["test"]["confusion"]
    write_json(run_views.find_run(settings.runs_folder, "two").record, record)
    said = updates(settings, seen, picked=["one", "two"], axis="x", measure=None)["verdict"]
    assert "the record of two cannot be read" in said


def test_the_ceiling_stands_on_the_chart_of_accuracies(
    settings: AppSettings, race: list[RunFolder], tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes at a later tick, and not before there is a curve."""
    band: list[Any] = [(0.52, 0.76, "8 to 6 of 10 people agree")]
    monkeypatch.setattr(budget_updates, "band_for", lambda *_: band[0])
    assert not updates(settings, stored="race")["accuracy"].layout.shapes
    for folder in race:
        finish(folder, tiny_faces, 3)
    band[0] = None
    shown = updates(settings, stored="race")
    band[0] = (0.52, 0.76, "8 to 6 of 10 people agree")
    later = updates(settings, shown["known"], stored="race")
    bands = [shape for shape in later["accuracy"].layout.shapes if shape.type == "rect"]
    assert [(shape.y0, shape.y1) for shape in bands] == [(0.52, 0.76)]
    assert not [shape for shape in later["loss"].layout.shapes if shape.type == "rect"]
