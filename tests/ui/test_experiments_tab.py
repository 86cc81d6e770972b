"""Leaderboard, comparison, details and deleting, on run folders made in the test."""

from __future__ import annotations

import csv
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from fer_core.runs.config import RunConfig
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import (
    Progress,
    RunError,
    read_record,
    run_lock,
    write_json,
    write_progress,
)
from fer_core.ui.experiments import experiment_updates, run_board, run_details, run_views
from fer_core.ui.experiments.experiment_updates import board_updates, detail_updates, mistakes_html
from fer_core.ui.shared.settings import AppSettings


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Only what a test makes is compared, whatever checkpoints the project ships."""
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(run_views, "SHIPPED_CHECKPOINTS", shipped)
    monkeypatch.setattr(run_board, "SHIPPED_CHECKPOINTS", shipped)
    return shipped


def ship(run: Any, shipped: Path) -> None:
    """Turn a run's folder into a shipped checkpoint."""
    shipped.mkdir(exist_ok=True)
    (run.path / "weights.safetensors").touch()
    run.path.rename(shipped / run.name)


def test_leaderboard_ranks_runs_and_shipped_checkpoints_together(
    settings: AppSettings, make_run: Any, nothing_shipped: Path
) -> None:
    make_run("worse", accuracy=0.5)
    make_run("unscored", state="stopped")
    ship(make_run("small", accuracy=0.7), nothing_shipped)
    make_run("better", accuracy=0.9)
    board = run_board.read_board(settings.runs_folder)
    assert board.names == ("better", "shipped/small", "worse", "unscored")
    assert list(board.table.columns) == list(run_board.COLUMNS)
    row = board.table.iloc[0]
    assert row["Data"] == "drawn faces"
    assert row["Test %"] == 90.0
    assert row["95 % interval"] == "88.5–91.5"
    assert row["Twin-free %"] == 89.0
    assert row["Parameters"] == 98_311
    assert row["% / GFLOP"] == pytest.approx(90 / 0.0123, abs=1)
    assert row["Minutes"] == 1.6
    assert board.table["Test %"].isna().tolist() == [False, False, False, True]


def test_a_result_that_its_start_flattered_has_a_mark(settings: AppSettings, make_run: Any) -> None:
    make_run("own", accuracy=0.5)
    folder = make_run("taught", accuracy=0.7)
    record = read_record(folder)
    record["data"]["inherited"] = {"test": 12}
    write_json(folder.record, record)
    table = run_board.read_board(settings.runs_folder).table
    assert table["95 % interval"].tolist() == ["68.5–71.5 *", "48.5–51.5"]


def test_table_keeps_numbers_to_sort_by_and_texts_to_read(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("scored", accuracy=0.684)
    make_run("unscored", state="failed", epochs=0)
    shown = run_board.displayed(run_board.read_board(settings.runs_folder).table)
    place = shown["headers"].index("Test %")
    assert [row[place] for row in shown["data"]] == [68.4, None]
    assert [row[place] for row in shown["metadata"]["display_value"]] == ["68.4", "–"]
    parameters = shown["headers"].index("Parameters")
    assert shown["metadata"]["display_value"][0][parameters] == "98,311"
    kinds = dict(zip(shown["headers"], run_board.DATATYPES, strict=True))
    assert {kinds[name] for name in ("Test %", "Parameters", "Minutes")} == {"number"}
    assert {kinds[name] for name in ("Name", "95 % interval", "State")} == {"str"}


def test_a_run_that_never_began_is_on_no_device(settings: AppSettings, make_run: Any) -> None:
    waiting = make_run("one", state="stopped", epochs=0)
    write_progress(waiting, Progress(state="stopped", device="cpu"))
    assert list(run_board.read_board(settings.runs_folder).table["Device"]) == [""]


def test_download_holds_the_table(settings: AppSettings, make_run: Any) -> None:
    make_run("one", accuracy=0.684)
    path = run_board.write_leaderboard(run_board.read_board(settings.runs_folder).table)
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Name"], row["Test %"]) for row in rows] == [("one", "68.4")]
    assert rows[0]["Parameters"] == "98311"


def test_without_runs_the_page_says_what_to_do(settings: AppSettings) -> None:
    empty, body, table, *_, now = board_updates(settings, None, [], {})
    assert empty["visible"]
    assert "Train" in experiment_updates.NO_ROWS
    assert not body["visible"]
    assert not table["visible"]
    assert now["stamp"] == (None, None)
    about, scores, *_ = detail_updates(settings, None, True)
    assert "Choose a run" in about
    assert not scores["visible"]
    assert "Choose a run" in mistakes_html(settings, None)


def test_first_visit_compares_the_best_runs_and_opens_the_best(
    settings: AppSettings, make_run: Any
) -> None:
    for name, accuracy in (("a", 0.5), ("b", 0.8), ("c", 0.7)):
        make_run(name, accuracy=accuracy)
    make_run("waiting", state="queued", epochs=0)
    _, _, table, download, compared, chosen, legend, loss, _, stamp, now = board_updates(
        settings, None, [], {}
    )
    assert [row[0] for row in table["value"]["data"]] == ["b", "c", "a", "waiting"]
    assert "\nb,80.0," in Path(download["value"]).read_text()
    assert compared["value"] == ["b", "c"]
    assert compared["choices"] == ["b", "c", "a"]
    assert chosen["value"] == "b"
    assert {trace.name for trace in loss.data} == {"b", "c"}
    assert legend.count("swatch") == 2
    assert all(trace.line.color in legend for trace in loss.data)
    assert stamp == ("b", ("finished", True))
    # The second time nothing has changed, so nothing is sent.
    assert all(part == gr.skip() for part in board_updates(settings, "b", ["b", "c"], now))
    # A new row changes the lists, but what the viewer chose is not sent back over their hands.
    make_run("newest", accuracy=0.4)
    _, _, _, _, compared, chosen, *_ = board_updates(settings, "c", ["a"], now)
    assert chosen["choices"] == ["b", "c", "a", "newest", "waiting"]
    assert "value" not in chosen
    assert "value" not in compared
    # A list that was emptied by hand stays empty.
    *_, loss, _, _, later = board_updates(settings, "b", [], now)
    assert later["curves"] == []
    assert "choose runs" in loss.layout.annotations[0].text


def test_a_run_that_was_deleted_leaves_the_lists(settings: AppSettings, make_run: Any) -> None:
    make_run("stays", accuracy=0.5)
    make_run("goes", accuracy=0.9)
    now = board_updates(settings, "goes", ["goes", "stays"], {})[-1]
    assert run_details.delete(settings, "goes") == "goes is deleted."
    *_, now = board_updates(settings, "stays", ["stays"], now)
    make_run("later", accuracy=0.1)
    run_details.delete(settings, "stays")
    _, _, _, _, compared, chosen, *_ = board_updates(settings, "stays", ["stays"], now)
    assert compared["value"] == []
    assert chosen["value"] == "later"


def test_names_that_are_paths_are_ignored_by_the_comparison(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("good")
    now = board_updates(settings, "../runs/good", ["../runs/good", "/etc"], {})[-1]
    assert now["stamp"][0] == "good"
    assert [name for name, _ in now["curves"]] == ["good"]


def test_deleting_is_refused_where_it_must_be(
    settings: AppSettings, make_run: Any, nothing_shipped: Path
) -> None:
    running = make_run("running", state="running")
    finished = make_run("finished")
    ship(make_run("small"), nothing_shipped)
    with run_lock(running), pytest.raises(RunError, match="running; stop it"):
        run_details.delete(settings, "running")
    with pytest.raises(RunError, match="belongs to the program"):
        run_details.delete(settings, "shipped/small")
    with pytest.raises(RunError, match="no run named"):
        run_details.delete(settings, "../runs/finished")
    with pytest.raises(RunError, match="closed"):
        run_details.delete(dataclasses.replace(settings, public=True), "finished")
    assert finished.config.is_file()
    assert running.config.is_file()
    assert (nothing_shipped / "small" / "config.json").is_file()


def test_details_of_a_finished_run(settings: AppSettings, make_run: Any) -> None:
    folder = make_run("done", accuracy=0.684)
    about, scores, confusion, table, command, config, delete = detail_updates(
        settings, "done", False
    )
    assert "68.4 %" in about
    assert "98,311" in about
    assert scores["visible"]
    counts = np.array(read_record(folder)["test"]["confusion"])
    assert np.array_equal(confusion.data[0].z, counts)
    assert table["headers"] == list(run_details.PER_CLASS_COLUMNS)
    assert table["data"][0] == ["angry", 70.0, 66.0, 68.0, 491]
    assert sum(row[-1] for row in table["data"]) == counts.sum()
    shown = table["metadata"]["display_value"]
    assert [float(text) for text in shown[0][1:4]] == table["data"][0][1:4]
    assert {len(text.partition(".")[2]) for row in shown for text in row[1:4]} == {1}
    assert command.startswith("python -m fer_core train")
    assert config == folder.config.read_text()
    assert delete["visible"]
    assert delete["interactive"]


def test_a_validation_result_is_said_to_be_with_the_memory_where_there_is_one(
    settings: AppSettings, make_run: Any
) -> None:
    folder = make_run("done", accuracy=0.684)
    record = read_record(folder)
    plain = run_details.summary_html(folder, record)
    assert "<dt>validation</dt><dd>68.4 %</dd>" in plain
    assert "<dt>best epoch</dt><dd>4 of 4</dd>" in plain
    record["model"]["memory"] = {"neighbours": 5}
    told = run_details.summary_html(folder, record)
    assert "<dt>validation, with its memory</dt>" in told


def test_details_of_an_unfinished_run_say_why_there_is_no_result(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("broken", state="failed", epochs=1)
    about, scores, confusion, table, command, *_ = detail_updates(settings, "broken", True)
    assert "failed" in about
    assert "no test result" in about
    assert not scores["visible"]
    assert confusion is None
    assert table is None
    assert command.startswith("python -m fer_core train --recipe quick")


def test_details_of_a_damaged_record_name_file_and_field(
    settings: AppSettings, make_run: Any
) -> None:
    folder = make_run("odd", accuracy=0.5)
    folder.record.write_text(json.dumps({**read_record(folder), "test": "<b>good</b>"}))
    about, scores, confusion, table, *_ = detail_updates(settings, "odd", True)
    assert "odd/record.json is damaged: test must be a table" in about
    assert "<b>good" not in about
    assert (scores["visible"], confusion, table) == (False, None, None)


def test_a_published_page_does_not_say_where_the_owners_data_lies(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("own", config=RunConfig(recipe="quick", data="/home/owner/fer2013.csv"))
    assert any("/home/owner" in str(part) for part in detail_updates(settings, "own", True))
    public = detail_updates(dataclasses.replace(settings, public=True), "own", True)
    assert not public[-1]["interactive"], "deleting is closed there"
    assert not any("/home/owner" in str(part) for part in public)
    assert any("--data data/fer2013.csv" in str(part) for part in public)


def test_viewers_who_ask_at_the_same_moment_all_get_the_table(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("one", accuracy=0.684)
    table = run_board.read_board(settings.runs_folder).table
    with ThreadPoolExecutor(8) as viewers:
        paths = set(viewers.map(run_board.write_leaderboard, [table] * 100))
    assert [path.name for path in paths] == ["leaderboard.csv"]


def test_the_page_and_the_leaderboard_speak_of_the_same_columns() -> None:
    frame = leaderboard(Path("nowhere"), Path("nowhere"))
    assert run_board.leaderboard_table(frame).empty
