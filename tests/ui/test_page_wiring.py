"""Which widget each handler of the page reads and fills, found out by filling in and pressing."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from run_folders import fake_run
from visitor import Visitor

from fer_core.comparison.budgets.equal_budget import read_plan
from fer_core.comparison.budgets.runs import resume_budget, start_budget
from fer_core.runs.config import RunConfig
from fer_core.training.sweep_files import list_sweeps
from fer_core.ui.build import build_app
from fer_core.ui.experiments import efficiency_page, run_board, run_views
from fer_core.ui.experiments.budgets import form as budget_form
from fer_core.ui.experiments.budgets import view
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import HANDED_OVER

# Gradio makes event loops while it builds a page and leaves their sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (run_views, run_board, efficiency_page):
        monkeypatch.setattr(module, "SHIPPED_CHECKPOINTS", tmp_path / "shipped")


@pytest.fixture
def visitor(settings: AppSettings) -> Visitor:
    return Visitor(build_app(settings))


@pytest.fixture
def stranger(settings: AppSettings) -> Visitor:
    """Of the published page."""
    return Visitor(build_app(dataclasses.replace(settings, public=True)))


def test_a_click_on_a_row_shows_that_run(settings: AppSettings, visitor: Visitor) -> None:
    folder = fake_run(settings.runs_folder, "mine")
    visitor.does("leaderboard", "select", row_value=["mine", 68.4])
    assert visitor.holds("inspected-run") == "mine"
    visitor.meets("on_detail", "_build_board")
    assert visitor.holds("run-command").startswith("python -m fer_core train")
    assert visitor.holds("config.json") == folder.config.read_text()
    assert visitor.sees("delete-run", "visible")
    assert visitor.holds("per-class")["data"][0][0] == "angry"
    for kind, whole in ((True, False), (False, True)):
        visitor.fills("confusion-kind", kind)
        visitor.does("confusion-kind", "input")
        assert (np.max(visitor.holds("confusion").data[0].z) > 1) == whole


def test_a_run_chosen_after_the_question_is_not_the_one_that_is_deleted(
    settings: AppSettings, visitor: Visitor
) -> None:
    for name in ("doomed", "kept"):
        fake_run(settings.runs_folder, name)
    visitor.fills("inspected-run", "doomed")
    visitor.does("delete-run")
    assert visitor.sees("delete-confirm", "visible")
    visitor.fills("inspected-run", "kept")
    visitor.does("delete-really")
    assert not visitor.sees("delete-confirm", "visible")
    assert [path.name for path in settings.runs_folder.iterdir() if path.is_dir()] == ["kept"]


def test_only_the_view_in_front_ticks(visitor: Visitor) -> None:
    def ticking() -> list[str]:
        timers = [key for key, one in visitor.page.blocks.items() if isinstance(one, gr.Timer)]
        found = [visitor.shown[key]["active"] for key in timers if key in visitor.shown]
        names = ["page", "Leaderboard", "Sweeps", "Equal budgets", "Efficiency", "New domain"]
        return [name for name, active in zip(names, found, strict=True) if active]

    visitor.does("experiment-tabs", "select", value="Sweeps")
    assert ticking() == ["Sweeps"]
    visitor.does("tabs", "select", value="Predict")
    assert ticking() == ["page"]
    visitor.does("tabs", "select", value="Experiments")
    assert ticking() == ["Sweeps"]


def test_faces_of_the_wanted_expression_and_part_are_drawn(visitor: Visitor) -> None:
    visitor.fills("data-set", "drawn:70")
    visitor.does("data-set", "input")
    visitor.fills("Expression", "sad")
    visitor.fills("Part", "test")
    for widget, name in (("Expression", "input"), ("data-redraw", "click")):
        visitor.does(widget, name)
        faces = visitor.holds("data-gallery")
        assert faces.count("<img") > 0
        assert "happy" not in faces


def test_a_path_is_opened_by_its_own_button_and_a_refused_one_leaves_the_list(
    visitor: Visitor, stranger: Visitor, tiny_csv: Path
) -> None:
    for one, opened in ((visitor, True), (stranger, False)):
        one.fills("data-path", str(tiny_csv))
        one.does("data-open")
        assert one.holds("data-set") == (str(tiny_csv) if opened else "drawn")
        assert one.sees("data-notice", "visible") is not opened
    visitor.fills("data-set", "/nowhere")
    visitor.does("data-set", "input")
    assert visitor.holds("data-set") == str(tiny_csv), "the list says what is open"


def test_what_costs_is_open_on_the_owners_page_alone(visitor: Visitor, stranger: Visitor) -> None:
    for widget in ("augment-use", "measure-latency"):
        assert visitor.sees(widget, "visible")
        assert not stranger.sees(widget, "visible")
    for widget in ("sweep-start", "budget-start", "domain-tune", "domain-old"):
        assert visitor.sees(widget, "interactive")
        assert not stranger.sees(widget, "interactive")


def test_a_stranger_uploads_no_archive_to_predict(visitor: Visitor, stranger: Visitor) -> None:
    assert ".zip" in visitor.sees("submit-upload", "file_types")
    assert stranger.sees("submit-upload", "file_types") == [".csv"]
    assert "60 faces" in stranger.sees("augment-measure", "value")
    assert stranger.sees("domain-limit", "maximum") == 500


def test_the_sweep_of_the_form_is_put_in_the_queue(
    settings: AppSettings, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fer_core.training.sweep_queue.start_sweep.__defaults__", (lambda *asked: None,)
    )
    visitor.does("sweep-fewer")
    visitor.does("sweep-fewer")
    assert visitor.holds("sweep-field-1") == "learning_rate", "one setting stays"
    assert visitor.holds("sweep-field-2") is None, "what is hidden does not count"
    for widget, value in (
        ("sweep-values-1", "0.001, 0.002, 0.003"),
        ("sweep-epochs", 4),
        ("sweep-seeds", 2),
        ("sweep-common", "device=cpu"),
        ("sweep-name", "mine"),
    ):
        visitor.fills(widget, value)
    visitor.does("sweep-values-1", "change")
    assert "<b>6 runs</b> = 3 cells × 2 seeds, 24 epochs" in visitor.holds("sweep-preview")
    visitor.does("sweep-start")
    assert "6 runs put into the queue" in visitor.holds("sweep-started")
    assert list_sweeps(settings.runs_folder) == [visitor.holds("watched-sweep")] == ["mine"]
    visitor.fills("sweep-kind", "ablation")
    visitor.does("sweep-kind", "input")
    assert visitor.reaches("sweep-methods")
    assert not visitor.reaches("sweep-more")
    visitor.fills("sweep-methods", ["flip"])
    visitor.does("sweep-methods", "input")
    assert "<b>4 runs</b>" in visitor.holds("sweep-preview"), "all on, and without each"


def test_settings_to_vary_come_and_go_one_by_one(visitor: Visitor) -> None:
    visitor.does("sweep-more")
    assert visitor.holds("sweep-field-2") == "augment.flip_probability"
    visitor.fills("sweep-field-3", "optimizer")
    visitor.does("sweep-field-3", "input")
    assert visitor.holds("sweep-values-3") == "sgd, adam, adamw"
    assert "<b>12 runs</b>" in visitor.holds("sweep-preview")
    visitor.does("sweep-fewer")
    assert "<b>4 runs</b>" in visitor.holds("sweep-preview")


def test_the_recipes_own_split_is_taken_where_it_has_one(visitor: Visitor) -> None:
    for recipe, own in (("competition_baseline", True), ("quick", False)):
        visitor.fills("sweep-recipe", recipe)
        visitor.does("sweep-recipe", "input")
        assert visitor.holds("sweep-own-split") is own


def test_a_budget_is_started_as_the_form_has_it(
    settings: AppSettings, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        budget_form, "start_budget", functools.partial(start_budget, launch=lambda *asked: None)
    )
    monkeypatch.setattr(
        view, "resume_budget", functools.partial(resume_budget, launch=lambda *asked: None)
    )
    told: list[str] = []
    monkeypatch.setattr(gr, "Info", told.append)
    assert not visitor.sees("contender-fewer", "interactive")
    visitor.does("contender-more")
    assert visitor.sees("contender-fewer", "interactive")
    assert visitor.sees("contender-more", "interactive")
    visitor.does("contender-fewer")
    assert not visitor.sees("contender-fewer", "interactive"), "two are the least"
    visitor.does("contender-fewer")
    visitor.fills("budget-kind", "seconds")
    visitor.does("budget-kind", "input")
    assert (visitor.holds("budget-amount"), visitor.holds("budget-name")) == (60, "seconds-1")
    visitor.fills("budget-kind", "epochs")
    visitor.does("budget-kind", "input")
    for widget, value in (("budget-seed", 3), ("budget-share", 40), ("budget-amount", 2)):
        visitor.fills(widget, value)
    visitor.does("budget-start")
    plan = read_plan(settings.runs_folder, visitor.holds("budget-stored"))
    assert (plan.name, plan.amount, len(plan.contenders)) == ("epochs-1", 2, 2)
    assert (plan.common.seed, plan.common.train_share) == (3, 0.4)
    assert visitor.holds("budget-name") == "epochs-2", "the next one's"
    assert visitor.holds("budget-command").startswith("python")
    assert "epochs-1" in visitor.holds("budget-started")
    visitor.does("budget-stop")
    visitor.does("budget-resume")
    assert told[0].startswith("2 of epochs-1 stop")
    assert told[1] == "2 of epochs-1 go on."


def test_accuracy_is_weighed_against_the_chosen_cost_of_the_chosen_set(
    settings: AppSettings, visitor: Visitor
) -> None:
    fake_run(settings.runs_folder, "one")
    fake_run(settings.runs_folder, "other", config=RunConfig(split="stratified", split_seed=7))
    visitor.does("efficiency-cost", "input")
    sets = [key for _, key in visitor.sees("efficiency-set", "choices")]
    found = []
    for key in sets:
        visitor.fills("efficiency-set", key)
        visitor.does("efficiency-set", "input")
        table = visitor.holds("efficiency-table")
        found.append([run for run in ("one", "other") if f"</span>{run}</td>" in table])
        assert visitor.holds("efficiency-set") == key
    assert sorted(found) == [["one"], ["other"]]
    visitor.fills("efficiency-cost", "parameters")
    visitor.does("efficiency-cost", "input")
    assert "98,311" in visitor.holds("efficiency-table")
    assert visitor.holds("efficiency-chart").data[1].x[0] == 98_311


def test_draws_are_those_of_the_sliders_and_the_seed(visitor: Visitor) -> None:
    visitor.does("augment-number", "input")
    visitor.does("augment-redraw")
    drawn = visitor.holds("augment-result")
    visitor.does("augment-seed", "input")
    assert visitor.holds("augment-result") == drawn, "the seed on show repeats them"
    assert visitor.holds("augment-preset") == "standard"
    visitor.fills("augment-rotation_degrees", 90)
    visitor.does("augment-rotation_degrees", "input")
    assert visitor.holds("augment-result") != drawn
    assert visitor.holds("augment-preset") is None
    assert "Rotation" in visitor.holds("augment-caution")
    visitor.does("augment-use")
    states = [visitor.values[key] for key in visitor.shown if key not in visitor.names.values()]
    policy = next(one for one in states if isinstance(one, dict) and HANDED_OVER in one)
    assert policy["rotation_degrees"] == 90
