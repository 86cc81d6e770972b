"""The training form, what it starts, and the live panel, on run folders made in the test."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from fer_core.data.policies import POLICIES
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import (
    Progress,
    RunError,
    read_progress,
    run_lock,
    write_progress,
)
from fer_core.training.job import repeat_command, start_run
from fer_core.ui.experiments import run_views
from fer_core.ui.figures.runs import training_figure
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE
from fer_core.ui.train import live_run, run_form, train_tab

QUICK = RECIPES["quick"].config
STRATIFIED = {
    "source": "faces.zip",
    "split": "stratified",
    "validation_share": 0.15,
    "test_share": 0.3,
    "split_seed": 7,
}


def test_preview_shows_command_and_changes_and_follows_the_form(settings: AppSettings) -> None:
    values = {**run_form.form_values(QUICK), "epochs": 3}
    command, message, data, policy = train_tab.form_preview(
        settings, "quick", "none", STRATIFIED, POLICIES["none"].to_dict(), values
    )
    config = train_tab.read_form("quick", "none", STRATIFIED, None, values)
    assert command == repeat_command(config)
    assert "epochs=3" in command
    assert f"Epochs: {QUICK.epochs} → 3" in message
    assert "Augmentation" in message
    assert "faces.zip" in data
    assert "as they are" in policy


def test_preview_of_a_bad_form_has_the_reason_and_no_command(settings: AppSettings) -> None:
    values = {**run_form.form_values(QUICK), "epochs": -1}
    command, message, _, _ = train_tab.form_preview(
        settings, "quick", "none", DEFAULT_DATA_CHOICE, None, values
    )
    assert command == ""
    assert "Epochs must be" in message


def test_a_run_that_lacks_votes_views_or_checkpoints_is_told_so_before_it_starts(
    settings: AppSettings, tmp_path: Path
) -> None:
    taught = RECIPES["expressnet_small"].config
    values = run_form.form_values(taught)

    def said(name: str = "expressnet_small", **changes: Any) -> str:
        filled = {**values, **changes}
        return train_tab.form_preview(settings, name, "none", DEFAULT_DATA_CHOICE, None, filled)[1]

    assert "This cannot start" in said()
    assert "40\u00a0% of the target from FER+ votes" in said()
    assert "drawn faces (built in) has none" in said()
    assert "cannot start" not in said(votes_share=0)
    lost = said(votes_share=0, views="lost.npz")
    assert "the file of views lost.npz is not there" in lost
    assert "views --data drawn --out lost.npz (some 20 minutes" in lost
    both = said(views="lost.npz")
    assert "from FER+ votes" in both
    assert "Also, the file of views lost.npz is not there" in both
    there = tmp_path / "views.npz"
    there.touch()
    assert "cannot start" not in said(votes_share=0, views=str(there))
    gone = said(votes_share=0, start_from="gone", teachers="runs/lost, checkpoints/" + "a" * 300)
    assert "there is no checkpoint in gone: no weights.safetensors lies there" in gone
    assert "Also, there is no checkpoint in runs/lost" in gone
    assert "“Teachers”" in gone
    config = train_tab.read_form("expressnet_small", "none", DEFAULT_DATA_CHOICE, None, values)
    with pytest.raises(ConfigError, match="from FER"):
        train_tab.start_from_form(settings, config, "no-votes")
    public = dataclasses.replace(settings, public=True)
    shown = train_tab.form_preview(
        public, "expressnet_small", "none", DEFAULT_DATA_CHOICE, None, {**values, "views": "x"}
    )
    assert shown[1] == live_run.CLOSED
    assert not (settings.runs_folder / "no-votes").exists()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are queued but no process is started."""
    monkeypatch.setattr(
        train_tab,
        "start_run",
        lambda config, folder, name=None: start_run(
            config, folder, name, launch=lambda *arguments: None
        ),
    )


@pytest.mark.usefixtures("started")
def test_start_queues_the_run_that_the_form_describes(settings: AppSettings) -> None:
    values = {**run_form.form_values(QUICK), "epochs": 2}
    config = train_tab.read_form("quick", "light", STRATIFIED, None, values)
    folder = train_tab.start_from_form(settings, config, "  my-run ")
    assert folder.name == "my-run"
    assert RunConfig.from_json(folder.config.read_text()) == config
    assert read_progress(folder).state == "queued"
    with pytest.raises(RunError, match="there already"):
        train_tab.start_from_form(settings, config, "my-run")
    with pytest.raises(RunError, match="letters"):
        train_tab.start_from_form(settings, config, "../outside")


def test_a_published_page_starts_stops_and_resumes_nothing(
    settings: AppSettings, make_run: Any
) -> None:
    public = dataclasses.replace(settings, public=True)
    stopped = make_run("stopped", state="stopped")
    with pytest.raises(RunError, match="closed"):
        train_tab.start_from_form(public, QUICK, None)
    with pytest.raises(RunError, match="closed"):
        live_run.stop(public, "stopped")
    with pytest.raises(RunError, match="closed"):
        live_run.resume(public, "stopped")
    assert read_progress(stopped).state == "stopped"
    live = live_run.read_live(public, "stopped")
    assert not live.can_resume
    assert "stopped" in live.status


def test_an_endless_text_is_refused_before_it_is_read() -> None:
    values = {**run_form.form_values(QUICK), "model_options": "dropout=0.1\n" * 1000}
    with pytest.raises(ConfigError, match="at most 2,000 characters, got 12,000"):
        train_tab.read_form("quick", "none", STRATIFIED, None, values)


def test_a_published_page_shows_neither_log_nor_reason(
    settings: AppSettings, make_run: Any
) -> None:
    """Both may name folders of the owner's."""
    folder = make_run("broken", state="failed", reason="no file /home/owner/faces.csv")
    folder.log.write_text("reading /home/owner/faces.csv\n")
    at_home = live_run.read_live(settings, "broken")
    assert "/home/owner" in at_home.status + at_home.log
    public = live_run.read_live(dataclasses.replace(settings, public=True), "broken")
    assert "/home/owner" not in public.status + public.log


@pytest.mark.parametrize(
    "name", ["../runs/good", "..", "/etc", "good/", "good/../good", ".hidden", "", None, 3, "a\0b"]
)
def test_only_plain_names_of_runs_are_found(tmp_path: Path, make_run: Any, name: Any) -> None:
    make_run("good")
    make_run("with a blank")  # a folder that someone named by hand
    assert run_views.find_run(tmp_path / "runs", "with a blank").name == "with a blank"
    assert run_views.find_run(tmp_path / "runs", "good").name == "good"
    with pytest.raises(RunError):
        run_views.find_run(tmp_path / "runs", name)


def test_panel_without_runs_says_what_to_do(settings: AppSettings) -> None:
    live = live_run.read_live(settings, live_run.FOLLOW)
    assert live.name is None
    assert "Start training" in live.status
    assert "Start a run" in live.queue
    assert training_figure([], "loss").layout.annotations[0].text.startswith("Loss curves start")


def test_panel_follows_the_running_run_and_else_the_newest(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("old", queued_at=1)
    running = make_run("running-one", state="running", queued_at=2)
    make_run("newest", state="queued", epochs=0, queued_at=3)
    with run_lock(running):
        live = live_run.read_live(settings, live_run.FOLLOW)
        assert live.name == "running-one"
        assert live.can_stop
        assert not live.can_resume
        assert "5 of 8" in live.status  # four epochs are finished, it is in the fifth
        assert "52 s" in live.status
        assert live.queue.index("running-one") < live.queue.index("newest")
    live = live_run.read_live(settings, live_run.FOLLOW)  # its process is gone now
    assert live.name == "newest"
    assert live_run.read_live(settings, "running-one").can_resume


def test_panel_of_a_finished_run_says_the_result_and_where_to_go(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("done", epochs=8, accuracy=0.684)
    live = live_run.read_live(settings, "done")
    assert "68.4 %" in live.status
    assert "66.9–69.9" in live.status
    assert "Experiments" in live.status
    assert "Predict" in live.status
    assert not live.can_stop
    assert not live.can_resume
    assert "epoch 8: a line of the log" in live.log


def test_panel_of_a_failed_run_gives_the_reason_and_escapes_it(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("broken", state="failed", epochs=0, reason="no <b>memory</b>; try batch_size=16")
    status = live_run.read_live(settings, "broken").status
    assert "try batch_size=16" in status
    assert "<b>memory" not in status


def test_stop_takes_a_waiting_run_out_and_asks_a_running_one(
    settings: AppSettings, make_run: Any
) -> None:
    waiting = make_run("waiting", state="queued", epochs=0)
    running = make_run("running", state="running", queued_at=2000.0)
    with run_lock(running):
        assert "out of the queue" in live_run.stop(settings, "waiting")
        assert read_progress(waiting).state == "stopped"
        assert "finished epochs made is kept" in live_run.stop(settings, live_run.FOLLOW)
        assert running.stop_request.exists()
        with pytest.raises(RunError, match="only a stopped"):
            live_run.resume(settings, "running")


def test_a_run_that_is_gone_is_said_and_another_shown(settings: AppSettings, make_run: Any) -> None:
    make_run("here")
    live = live_run.read_live(settings, "gone")
    assert live.name == "here"
    assert "gone" in live.status


@pytest.mark.parametrize("state", ["queued", "stopped"])
def test_no_button_acts_on_a_run_that_is_shown_in_the_place_of_another(
    settings: AppSettings, make_run: Any, state: str
) -> None:
    make_run("here", state=state, epochs=0)
    here, gone = (live_run.read_live(settings, name) for name in ("here", "gone"))
    assert here.can_stop or here.can_resume
    assert (gone.can_stop, gone.can_resume) == (False, False)


def test_a_run_that_goes_on_does_not_show_the_result_from_before(
    settings: AppSettings, make_run: Any
) -> None:
    folder = make_run("again")
    assert "Compare it in" in live_run.read_live(settings, "again").status
    write_progress(folder, Progress("running", epoch=4, epochs=8, step=1, steps=9))
    assert "Compare it in" not in live_run.read_live(settings, "again").status


def test_a_waiting_run_knows_how_many_epochs_it_will_have(
    settings: AppSettings, make_run: Any
) -> None:
    folder = make_run("waiting", state="queued", epochs=0)
    write_progress(folder, Progress("queued"))
    assert "<dd>0 of 8</dd>" in live_run.read_live(settings, "waiting").status
    folder.config.write_text("{")
    assert "<dt>epoch</dt><dd>–</dd>" in live_run.read_live(settings, "waiting").status


def test_a_recipe_for_another_built_in_set_says_so() -> None:
    data = {**DEFAULT_DATA_CHOICE, "source": "drawn"}
    assert "Made for the set" in train_tab.other_set_note("drawn:six", data)
    assert train_tab.other_set_note("drawn:six", {**data, "source": "drawn:six"}) == ""
    assert train_tab.other_set_note("drawn", {**data, "source": "mine.csv"}) == ""
