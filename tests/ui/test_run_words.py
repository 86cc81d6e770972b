"""A run in words: durations, intervals, its state, its result, its epochs as a table."""

from __future__ import annotations

import re

import pytest
from run_folders import fake_record
from standins import text_of

from fer_core.runs.config import RunConfig
from fer_core.runs.record import Progress
from fer_core.ui.experiments import run_views
from fer_core.ui.train.epoch_table import epoch_table_html


def test_the_table_of_epochs_says_its_units_in_its_head_alone() -> None:
    table = epoch_table_html([{"epoch": 1, "train_accuracy": 0.5, "validation_accuracy": 0.625}], 1)
    assert "<th>Validation<br>%</th>" in table
    assert "<td>1 (best)</td>" in table
    assert "<td>50.00</td><td>62.50</td>" in table


def test_the_table_of_epochs_has_each_figure_as_it_is_and_the_newest_first() -> None:
    values = {"train_loss": 1.5, "validation_loss": 1.25, "validation_macro_f1": 0.5}
    values |= {"learning_rate": 0.004, "seconds": 1234.56}
    table = epoch_table_html([{"epoch": 1, **values}, {"epoch": 2}, {"epoch": 3}], best=2)
    assert re.findall(r"<tr><td>(.*?)</td>", table) == ["3", "2 (best)", "1"]
    first = table.rpartition("<tr>")[2]
    cells = ["1", "1.5000", "1.2500", "–", "–", "0.5000", "0.004", "1,234.6"]
    assert re.findall("<td>(.*?)</td>", first) == cells


def test_best_epoch_by_loss_is_the_lowest_and_ties_go_to_the_first() -> None:
    epochs = [
        {"epoch": number, "validation_loss": loss} for number, loss in ((1, 2), (2, 1), (3, 1))
    ]
    assert run_views.best_epoch(epochs, "validation_loss") == 2
    assert run_views.best_epoch([], "validation_loss") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (39.6, "40 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (float("nan"), "–")],
)
def test_durations_read_as_people_say_them(seconds: float | None, words: str) -> None:
    assert run_views.duration(seconds) == words


def test_a_stopped_run_says_what_is_kept_and_shows_no_more() -> None:
    early = Progress(state="stopped", epoch=0, epochs=2, step=5, steps=9)
    assert "no epoch had ended, so Resume begins anew" in run_views.state_sentence(early)
    assert "width:0.0%" in run_views.status_html("early", early, None)
    later = Progress(state="stopped", epoch=1, epochs=2, step=5, steps=9)
    assert "Resume goes on after epoch 1" in run_views.state_sentence(later)
    assert "width:50.0%" in run_views.status_html("later", later, None)
    running = Progress(state="running", epoch=1, epochs=2, step=5, steps=10)
    assert "width:75.0%" in run_views.status_html("running", running, None)


def test_the_end_says_whether_there_was_something_to_score_it_on() -> None:
    done = Progress(state="finished", epoch=2, epochs=2)
    scored = run_views.state_sentence(done, {"test": {"n": 5}})
    assert scored == "Finished; the best epoch was scored on the test images."
    assert "has no test images" in run_views.state_sentence(done, {"test": None})
    assert run_views.state_sentence(done) == "Finished."


@pytest.mark.parametrize(
    ("interval", "words"),
    [((0.669, 0.6994), "66.9–69.9"), (None, ""), ((0.5, float("nan")), ""), ((0.5,), "")],
)
def test_an_interval_that_is_not_known_is_left_empty(interval: object, words: str) -> None:
    assert run_views.interval_text(interval) == words


def test_a_result_that_its_start_flattered_is_not_to_be_compared() -> None:
    record = fake_record("run", RunConfig(recipe="quick"), 0.684, 4)
    assert "Not to be compared" not in run_views.test_sentence(record)
    record["data"]["inherited"] = {"test": 12}
    assert "Not to be compared: 12 of the 3,589 test images" in text_of(
        run_views.test_sentence(record)
    )


def test_a_run_without_a_result_is_not_sent_to_be_compared() -> None:
    record = fake_record("run", RunConfig(recipe="quick"), 0.684, 4)
    done = Progress(state="finished", epoch=4, epochs=8)
    assert "Compare it in Experiments" in text_of(run_views.status_html("run", done, record))
    for unscored in (None, {**record, "test": None}):
        assert "Compare it" not in run_views.status_html("run", done, unscored)


def test_a_run_that_ended_early_is_done_and_names_the_epochs_that_it_made() -> None:
    done = Progress(state="finished", epoch=4, epochs=8)
    shown = run_views.status_html("run", done, None)
    assert "width:100.0%" in shown
    assert "epoch 4 of 8" in text_of(shown)
    last = Progress(state="running", epoch=8, epochs=8, step=3, steps=9)
    assert "epoch 8 of 8" in text_of(run_views.status_html("run", last, None))
    assert "width:100.0%" in run_views.status_html("run", last, None)


def test_a_run_that_never_began_has_no_device_and_an_unknown_length_is_no_nought() -> None:
    waiting = Progress(state="queued", device="cpu", epochs=8)
    stopped = Progress(state="stopped", device="cpu", epochs=8)
    running = Progress(state="running", device="CPU, 2 threads")
    assert "device –" in text_of(run_views.status_html("run", waiting, None))
    assert "device –" in text_of(run_views.status_html("run", stopped, None))
    shown = text_of(run_views.status_html("run", running, None))
    assert "device CPU, 2 threads" in shown
    assert "epoch –" in shown


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress("running"), "Training."),
        (Progress("running", reason="compiling the network"), "Compiling the network."),
        (Progress("queued"), "Queued: it starts in a few seconds"),
        (Progress("stopped", epoch=2), "Stopped; the best weights"),
        (Progress("stopped", reason="stopped by the owner", epoch=2), "Stopped by the owner; the"),
        (Progress("stopped", reason="the machine went down"), "The machine went down; no epoch"),
        (Progress("failed", reason="out of memory"), "Failed: out of memory."),
        (Progress("interrupted"), "Interrupted: no reason was written down."),
    ],
)
def test_the_state_is_said_with_its_reason(progress: Progress, said: str) -> None:
    assert run_views.state_sentence(progress).startswith(said)


def test_an_empty_log_says_when_it_begins() -> None:
    assert "The log begins when the run does." in run_views.log_html("")
    assert "begins" not in run_views.log_html("epoch 1")
