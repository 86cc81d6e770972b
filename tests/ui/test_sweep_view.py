"""The Sweeps page: what its form makes, what it shows of run folders, what a public page closes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from fer_core.comparison.sweeps.ablation import METHODS
from fer_core.paths import RunFolder
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import Progress, RunError, write_json, write_progress
from fer_core.training import sweep_queue
from fer_core.training.job import queue_state
from fer_core.training.sweep import MAX_RUNS, Sweep, SweepError, plan_sweep
from fer_core.training.sweep_files import list_sweeps
from fer_core.training.sweep_queue import start_sweep, sweep_progress
from fer_core.ui.experiments.sweeps import board, form
from fer_core.ui.experiments.sweeps.planner import form_preview, read_inputs
from fer_core.ui.experiments.sweeps.updates import sweep_updates
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

QUICK = RECIPES["quick"].config
PARTS = 15
STATUS, TABLE, MARKDOWN, LEGEND, SENT = 1, 7, 8, 11, 14


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are queued but no process is started."""
    for function in (sweep_queue.start_sweep, sweep_queue.resume_sweep):
        monkeypatch.setattr(function, "__defaults__", (lambda *asked: None,))


def filled(**changes: Any) -> form.SweepForm:
    given = form.SweepForm(
        kind=form.GRID,
        recipe="quick",
        rows=(("optimizer", "sgd, adam"), (None, None)),
        methods=("flip",),
        plans=("leave_one_out",),
        epochs=2,
        common="",
        seeds=1,
        name="one",
    )
    return dataclasses.replace(given, **changes)


def queued(settings: AppSettings, name: str = "one", **vary: tuple[str, ...]) -> Sweep:
    config = dataclasses.replace(QUICK, epochs=2, device="cpu")
    sweep = plan_sweep(name, config, vary or {"optimizer": ("sgd", "adam")})
    start_sweep(sweep, settings.runs_folder, launch=lambda *asked: None)
    return sweep


def finish(settings: AppSettings, name: str, accuracy: float) -> None:
    folder = RunFolder(settings.runs_folder / name)
    score = {"accuracy": accuracy, "interval": [accuracy - 0.01, accuracy + 0.01], "macro_f1": 0.4}
    record = {"validation": score, "test": score, "best_epoch": 2, "seconds": 9.0}
    write_json(folder.record, record)
    lines = "".join(
        f'{{"epoch": {epoch}, "train_loss": 1.0, "validation_loss": 1.0, "train_accuracy": 0.5, '
        f'"validation_accuracy": {accuracy}, "seconds": 4.5}}\n'
        for epoch in (1, 2)
    )
    folder.epochs.write_text(lines)
    write_progress(folder, Progress("finished", epoch=2, epochs=2))


def test_the_form_makes_the_sweep_that_it_shows() -> None:
    given = filled(common="batch_size=32\n\nlabel_smoothing=0.1", seeds=2, name=" my  sweep ")
    data = {**DEFAULT_DATA_CHOICE, "source": "faces.zip", "split": "stratified", "split_seed": 7}
    sweep = form.plan_from_form(given, data)
    assert sweep.name == "my-sweep"
    assert [cell.values for cell in sweep.cells] == [("sgd",), ("adam",)]
    assert sweep.seeds == (QUICK.seed, QUICK.seed + 1)
    base = sweep.base
    assert (base.data, base.split, base.split_seed) == ("faces.zip", "stratified", 7)
    assert (base.epochs, base.batch_size, base.label_smoothing) == (2, 32, 0.1)
    assert base.augment == QUICK.augment
    assert "<b>4 runs</b> = 2 cells × 2 seeds, 8 epochs" in form.plan_html(sweep)


def test_an_ablation_of_the_recipes_own_methods() -> None:
    names = form.methods_on(QUICK)
    assert {"flip", "rotation", "ema_decay", "schedule"} <= set(names)
    assert "label_smoothing" not in names
    sweep = form.plan_from_form(filled(kind=form.ABLATION, methods=tuple(names)), {})
    assert len(sweep.cells) == 1 + len(names)
    shown = form.plan_html(sweep)
    assert shown.count("<td>no</td>") == min(len(names), 11)
    offered = [name for _, name in form.method_choices(QUICK)]
    assert set(names) < set(offered) <= set(METHODS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": ((None, ""),)}, "choose a setting to vary"),
        ({"rows": (("optimizer", ""),)}, "optimizer has no values"),
        ({"rows": (("optimizer", "magic"),)}, "optimizer must be one of"),
        ({"rows": (("optimizer", "sgd"), ("optimizer", "adam"))}, "given twice"),
        ({"rows": (("optimizer", "sgd"), ("optimizer ", "adam"))}, "given twice"),
        ({"rows": (("no_such", "1"),)}, "unknown setting"),
        ({"rows": (("data=x", "1"),)}, "no setting's name"),
        ({"seeds": None}, "whole number, got None"),
        ({"seeds": 1.5}, "whole number, got 1.5"),
        ({"seeds": 1000}, "seeds must be 1 to"),
        ({"epochs": 0}, "epochs must be 1 to"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"common": "nonsense"}, "field=value"),
        ({"common": "x" * 5000}, "at most 2,000 characters"),
        ({"name": "../up"}, "name"),
        ({"recipe": "nowhere"}, "unknown recipe"),
        ({"kind": form.ABLATION, "methods": ()}, "at least one method"),
        ({"kind": form.ABLATION, "plans": ()}, "the plan must be some of"),
    ],
)
def test_a_bad_form_is_refused_in_words(
    settings: AppSettings, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises((ConfigError, RunError), match=words):
        form.plan_from_form(filled(**changes), {})


def test_too_many_runs_are_counted_before_they_are_laid_out() -> None:
    many = ",".join(map(str, range(2, 102)))
    rows = tuple((field, many) for field in ("batch_size", "epochs", "image_size", "weight_decay"))
    with pytest.raises(SweepError, match=f"100,000,000 runs .* at most {MAX_RUNS}"):
        form.plan_from_form(filled(rows=rows), {})


def test_every_setting_that_is_offered_comes_with_values_that_can_be_used() -> None:
    fields = [field for _, field in form.field_choices()]
    assert "model_options.widths" in fields
    assert "model_options.remembered" not in fields, "the command remember sets it"
    assert {"learning_rate", "augment.flip_probability", "model_options.output"} <= set(fields)
    for field in ("learning_rate", "optimizer", "augment", "class_weights", "batch_size"):
        given = filled(rows=((field, form.suggested_values(field)),))
        assert len(form.plan_from_form(given, {}).cells) >= 2
    strengths = [field for field in fields if field.startswith("augment.")]
    for field in strengths:
        form.plan_from_form(filled(rows=((field, form.suggested_values(field)),)), {})
    outputs = form.suggested_values("model_options.output").split(", ")
    assert sorted(outputs) == ["sigmoid", "softmax", "tanh"]
    assert form.suggested_values("no such") == form.suggested_values(None) == ""


def test_the_preview_tells_a_plan_from_a_problem(settings: AppSettings) -> None:
    rows = ["optimizer", *[None] * 4, "sgd, adam", *[""] * 4]
    widgets = [None, False, form.GRID, "quick", [], [], None, "", 1, "", *rows]
    assert read_inputs(*widgets)[0].rows[0] == ("optimizer", "sgd, adam")
    plan, message, data = form_preview(settings, *widgets)
    assert "<b>2 runs</b>" in plan
    assert message == ""
    assert "drawn faces" in data
    widgets[8] = 0
    plan, message, _ = form_preview(settings, *widgets)
    assert plan == ""
    assert "cannot start" in message
    assert "seeds" in message
    queued(settings, "taken")
    widgets[8:10] = [1, "taken"]
    assert "is there already" in form_preview(settings, *widgets)[1]


def test_a_published_recipe_brings_its_own_split() -> None:
    name = next(recipe.name for recipe in RECIPES.values() if recipe.config.split == "stratified")
    data = {**DEFAULT_DATA_CHOICE, "source": "faces.zip", "split_seed": 7}
    rows = ["optimizer", *[None] * 4, "sgd, adam", *[""] * 4]
    for own, seed in ((True, RECIPES[name].config.split_seed), (False, 7)):
        widgets = [data, own, form.GRID, name, [], [], None, "", 1, "one", *rows]
        base = form.base_config(*read_inputs(*widgets))
        assert (base.data, base.split_seed) == ("faces.zip", seed)


def test_an_empty_page_says_what_to_do(settings: AppSettings) -> None:
    updates = sweep_updates(settings, None, "results", "validation", {})
    assert len(updates) == PARTS
    assert "Put it in the queue" in updates[STATUS]
    again = sweep_updates(settings, None, "results", "validation", updates[SENT])
    assert all(update == gr.skip() for update in again)


def test_updates_carry_only_what_is_new(settings: AppSettings) -> None:
    queued(settings)
    first = sweep_updates(settings, None, "results", "validation", {})
    assert first[0]["value"] == "one"
    assert "0 of 2" in first[STATUS]
    assert "sgd" in first[TABLE]
    again = sweep_updates(settings, "one", "results", "validation", first[SENT])
    assert all(update == gr.skip() for update in again)
    finish(settings, "one-sgd-s0", 0.5)
    assert [button["interactive"] for button in first[2:5]] == [True, False, True]
    third = sweep_updates(settings, "one", "results", "validation", first[SENT])
    assert third[0] == gr.skip()
    assert "1 of 2" in third[STATUS]
    assert "class='best'" not in third[TABLE]  # of one result none is the best
    assert "50.0 (49.0–51.0)" in third[TABLE]
    assert "sgd-s0" in third[LEGEND]
    for update, ending in zip(third[MARKDOWN : MARKDOWN + 3], ("md", "csv", "tex"), strict=True):
        path = Path(update["value"])
        assert path.name == f"one-results.{ending}"
        assert "sgd" in path.read_text()
    finish(settings, "one-adam-s0", 0.6)
    assert "class='best'" in sweep_updates(settings, "one", "results", "validation", {})[TABLE]


def test_a_sweep_without_switches_has_no_ablation_table(settings: AppSettings) -> None:
    queued(settings)
    before = sweep_updates(settings, "one", "results", "validation", {})[SENT]
    updates = sweep_updates(settings, "one", "ablation", "validation", before)
    assert "on in some runs and off in others" in updates[TABLE]
    assert updates[MARKDOWN]["interactive"] is False


def test_nonsense_from_outside_falls_back(settings: AppSettings) -> None:
    queued(settings)
    updates = sweep_updates(settings, "../../etc", "nonsense", ["x"], {})
    assert updates[0]["value"] == "one"
    assert "sgd" in updates[TABLE]


def test_failed_runs_say_why_but_not_on_a_public_page(settings: AppSettings) -> None:
    queued(settings)
    folder = RunFolder(settings.runs_folder / "one-sgd-s0")
    write_progress(folder, Progress("failed", reason="cannot read /home/me/<faces>", epochs=2))
    watch = board.read_watch(settings, "one")
    assert "cannot read /home/me/&lt;faces&gt;" in watch.status
    assert watch.can_resume
    assert watch.can_stop  # the other one waits
    public = dataclasses.replace(settings, public=True)
    watch = board.read_watch(public, "one")
    assert "/home/me" not in watch.status
    assert not watch.can_resume


@pytest.mark.usefixtures("no_worker")
def test_start_stop_resume_and_delete_through_the_page(settings: AppSettings) -> None:
    sweep = form.plan_from_form(filled(common="device=cpu"), DEFAULT_DATA_CHOICE)
    assert "2 runs put into the queue" in board.start(settings, sweep)
    assert [state for _, state in queue_state(settings.runs_folder)] == ["queued", "queued"]
    with pytest.raises(RunError, match="is there already"):
        board.start(settings, sweep)
    assert "one: 2 runs told to stop" in board.stop(settings, "one")
    assert "one: 2 runs back in the queue" in board.resume(settings, "one")
    assert sweep_progress(sweep, settings.runs_folder).counts == {"queued": 2}
    assert "one is deleted, 2 runs with it" in board.delete(settings, "one")
    assert list_sweeps(settings.runs_folder) == []
    assert not list(settings.runs_folder.glob("one*"))


@pytest.mark.usefixtures("no_worker")
def test_one_run_is_counted_as_one(settings: AppSettings) -> None:
    rows = (("optimizer", "sgd"),)
    sweep = form.plan_from_form(filled(rows=rows, common="device=cpu"), DEFAULT_DATA_CHOICE)
    board.start(settings, sweep)
    board.stop(settings, "one")
    assert "one: 1 run back in the queue" in board.resume(settings, "one")
    assert "one is deleted, 1 run with it" in board.delete(settings, "one")


def test_a_public_page_closes_whatever_costs(settings: AppSettings) -> None:
    sweep = queued(settings)
    public = dataclasses.replace(settings, public=True)
    other = dataclasses.replace(sweep, name="two")
    for action, given in (
        (board.start, other),
        (board.stop, "one"),
        (board.resume, "one"),
        (board.delete, "one"),
    ):
        with pytest.raises(RunError, match="closed"):
            action(public, given)
    buttons = sweep_updates(public, "one", "results", "validation", {})[2:5]
    assert [button["interactive"] for button in buttons] == [False] * 3
    widgets = [None, False, form.GRID, "quick", [], [], None, "start_from=/", 1, "", *[None] * 10]
    assert form_preview(public, *widgets)[0] == ""
    assert list_sweeps(settings.runs_folder) == ["one"]
    assert sweep_progress(sweep, settings.runs_folder).counts == {"queued": 2}


def test_a_damaged_plan_is_told_in_words(settings: AppSettings) -> None:
    queued(settings)
    (settings.runs_folder / ".sweeps" / "one.json").write_text("{}")
    updates = sweep_updates(settings, "one", "results", "validation", {})
    assert "cannot be read" in updates[STATUS]
    assert updates[TABLE] == gr.skip()
    public = dataclasses.replace(settings, public=True)
    told = board.read_watch(public, "one").status
    assert "plan cannot be read" in told
    assert str(settings.runs_folder) not in told


def test_names_and_values_cannot_bring_markup_with_them(settings: AppSettings) -> None:
    base = RunConfig(recipe="quick", data="drawn", device="cpu")
    sweep = plan_sweep("one", base, {"classes_left_out": ("<b>x</b>", "y")})
    start_sweep(sweep, settings.runs_folder, launch=lambda *asked: None)
    updates = sweep_updates(settings, "one", "results", "validation", {})
    assert "&lt;b&gt;x&lt;/b&gt;" in updates[TABLE]
    assert "<b>x" not in form.plan_html(sweep)
