"""A run folder stays readable whatever died while writing it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fer_core.paths import RunFolder
from fer_core.runs.record import (
    Progress,
    RunError,
    append_epoch,
    checked_name,
    list_runs,
    read_epochs,
    read_log_tail,
    read_progress,
    run_lock,
    write_progress,
    write_text,
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    path = tmp_path / "runs" / "one"
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    return RunFolder(path)


def test_a_write_that_fails_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "page.md", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_torn_last_line_costs_only_itself(folder: RunFolder) -> None:
    append_epoch(folder, {"epoch": 1, "train_loss": 2.0})
    with folder.epochs.open("a") as file:
        file.write('{"epoch": 2, "train_l')
    assert read_epochs(folder) == [{"epoch": 1, "train_loss": 2.0}]


def test_of_a_repeated_epoch_the_last_line_counts(folder: RunFolder) -> None:
    for loss in (2.0, 1.0):
        append_epoch(folder, {"epoch": 1, "train_loss": loss})
    assert [epoch["train_loss"] for epoch in read_epochs(folder)] == [1.0]


def test_a_running_run_without_its_process_is_interrupted(folder: RunFolder) -> None:
    write_progress(folder, Progress(state="running", epoch=3, epochs=9))
    with run_lock(folder).acquire():
        assert read_progress(folder).state == "running"
    progress = read_progress(folder)
    assert (progress.state, progress.epoch) == ("interrupted", 3)
    assert "resume" in progress.reason


def test_looking_does_not_make_a_dead_run_alive(folder: RunFolder) -> None:
    """Two viewers that look at the same moment: each holds the lock that it looks through."""
    write_progress(folder, Progress(state="running"))
    with run_lock(folder).acquire():
        pass  # leaves the lock's file behind, as a dead run does
    with ThreadPoolExecutor(8) as pool:
        states = set(pool.map(lambda _: read_progress(folder).state, range(400)))
    assert states == {"interrupted"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "dancing"}'])
def test_a_damaged_progress_file_reads_as_interrupted(folder: RunFolder, text: str) -> None:
    folder.progress.write_text(text)
    assert read_progress(folder).state == "interrupted"


def test_fields_of_a_later_version_are_passed_over(folder: RunFolder) -> None:
    folder.progress.write_text(json.dumps({"state": "finished", "mood": "fine"}))
    assert read_progress(folder).state == "finished"


@pytest.mark.parametrize("name", ["../one", "/etc", "", ".hidden", "a/b", "x" * 81, "a\nb"])
def test_no_path_passes_for_a_name(name: str) -> None:
    with pytest.raises(RunError, match="a run's name takes letters"):
        checked_name(name)


def test_runs_are_found_newest_first(folder: RunFolder) -> None:
    runs = folder.path.parent
    later = RunFolder(runs / "two")
    later.path.mkdir()
    later.config.write_text("{}")
    write_progress(folder, Progress(state="finished", queued_at=1.0))
    write_progress(later, Progress(state="finished", queued_at=2.0))
    (runs / "no-run").mkdir()
    assert [run.name for run in list_runs(runs)] == ["two", "one"]
    assert list_runs(runs / "absent") == []


def test_the_log_tail_is_its_last_lines(folder: RunFolder) -> None:
    assert read_log_tail(folder) == ""
    folder.log.write_text("a\nb\nc\n")
    assert read_log_tail(folder, 2) == "b\nc"
