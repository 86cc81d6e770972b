"""Sweeps: what a grid holds, what is refused before anything is made, and its runs as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    Progress,
    append_epoch,
    read_progress,
    run_lock,
    write_progress,
)
from fer_core.training.job import delete_run, queue_state
from fer_core.training.planned_runs import MISSING
from fer_core.training.sweep import SweepError, plan_sweep
from fer_core.training.sweep_files import list_sweeps, plan_file, read_sweep
from fer_core.training.sweep_queue import (
    delete_sweep,
    resume_sweep,
    start_sweep,
    stop_sweep,
    sweep_progress,
    take_up_sweep,
    work_off_sweep,
)

BASE = RunConfig(recipe="quick", model="expressnet_demo", epochs=4, device="cpu")
GRID = {"learning_rate": ("1e-3", "1e-2"), "optimizer": ("sgd", "adam")}


class Launches(list):
    """Notes which workers were asked for and starts none."""

    def __call__(self, runs_folder: Path, device: str) -> None:
        self.append(device)


def test_a_started_sweep_is_queued_with_one_worker_and_can_be_read_again(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, GRID, seeds=2)
    launches = Launches()
    start_sweep(sweep, tmp_path, launch=launches)
    assert launches == ["cpu"]
    assert [name for name, _ in queue_state(tmp_path)] == [name for name, _, _ in sweep.runs()]
    stored = read_sweep(tmp_path, "one")
    assert stored.same_plan(sweep)
    assert not stored.same_plan(plan_sweep("one", BASE, GRID, seeds=1))
    first = RunFolder(tmp_path / sweep.runs()[0][0])
    assert RunConfig.from_json(first.config.read_text()) == sweep.config(sweep.cells[0], 0)
    plan = json.loads(plan_file(tmp_path, "one").read_text())
    assert [run for cell in plan["cells"] for run in cell["runs"]] == [
        sweep.run_name(cell, seed) for cell in sweep.cells for seed in sweep.seeds
    ]


def test_nothing_is_made_when_a_name_is_taken(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, GRID)
    taken = tmp_path / sweep.runs()[2][0]
    taken.mkdir()
    with pytest.raises(SweepError, match=f"a run named '{taken.name}' is there already"):
        start_sweep(sweep, tmp_path, launch=Launches())
    assert list(tmp_path.iterdir()) == [taken]
    taken.rmdir()
    start_sweep(sweep, tmp_path, launch=Launches())
    with pytest.raises(SweepError, match="a sweep named 'one' is there already"):
        start_sweep(sweep, tmp_path, launch=Launches())


@pytest.mark.parametrize("name", ["two", "../one", "", None])
def test_an_unknown_sweep_is_refused(tmp_path: Path, name: object) -> None:
    start_sweep(plan_sweep("one", BASE, GRID), tmp_path / "runs", launch=Launches())
    with pytest.raises(SweepError, match="there is no sweep named"):
        read_sweep(tmp_path / "runs", name)


def test_a_damaged_plan_says_so(tmp_path: Path) -> None:
    start_sweep(plan_sweep("one", BASE, GRID), tmp_path, launch=Launches())
    plan_file(tmp_path, "one").write_text('{"name": "one"}')
    with pytest.raises(SweepError, match="cannot be read"):
        read_sweep(tmp_path, "one")
    assert list_sweeps(tmp_path) == ["one"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": 0.5}, "must be texts, got 0.5"),
        ({"name": "../other"}, "a run's name takes"),
        ({"fields": ["learning_rate", 5]}, "must be texts, got 5"),
        ({"fields": []}, "it has 0 fields"),
        ({"methods": ["one"] * 5}, "it has 2 fields"),
        ({"cells": []}, "must have cells and seeds"),
        ({"seeds": []}, "must have cells and seeds"),
        ({"seeds": ["0"]}, "seeds must be whole numbers, got '0'"),
    ],
)
def test_a_plan_whose_parts_do_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    start_sweep(plan_sweep("one", BASE, GRID), tmp_path, launch=Launches())
    plan = plan_file(tmp_path, "one")
    plan.write_text(json.dumps({**json.loads(plan.read_text()), **changes}))
    with pytest.raises(SweepError, match="cannot be read") as refusal:
        read_sweep(tmp_path, "one")
    assert said in str(refusal.value)


def _epochs(folder: RunFolder, count: int, seconds: float = 10.0) -> None:
    for epoch in range(1, count + 1):
        append_epoch(folder, {"epoch": epoch, "seconds": seconds})


def test_progress_adds_up_epochs_states_and_time_left(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, GRID)  # four runs of four epochs
    folders = start_sweep(sweep, tmp_path, launch=Launches())
    assert sweep_progress(sweep, tmp_path).seconds_left is None
    _epochs(folders[0], 2)  # stopped early, yet finished
    write_progress(folders[0], Progress("finished", epoch=2, epochs=4))
    _epochs(folders[1], 1)
    write_progress(folders[1], Progress("failed", reason="no memory", epoch=1, epochs=4))
    with run_lock(folders[2]).acquire():
        _epochs(folders[2], 1)
        write_progress(folders[2], Progress("running", epoch=1, epochs=4, step=5, steps=10))
        progress = sweep_progress(sweep, tmp_path)
    assert progress.counts == {"finished": 1, "failed": 1, "running": 1, "queued": 1}
    assert progress.epochs == 16
    assert progress.epochs_done == 4 + 1 + 1.5
    assert progress.epochs_finished == 4
    assert progress.seconds_left == pytest.approx(10 * (2.5 + 4))
    assert progress.reasons == {folders[1].name: "no memory"}
    assert progress.share == pytest.approx(6.5 / 16)


def test_stop_and_resume_leave_what_is_finished(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, GRID)
    folders = start_sweep(sweep, tmp_path, launch=Launches())
    write_progress(folders[0], Progress("finished", epochs=4))
    assert stop_sweep(sweep, tmp_path) == 3
    assert sweep_progress(sweep, tmp_path).counts == {"finished": 1, "stopped": 3}
    with pytest.raises(SweepError, match="nothing of one is running or waiting"):
        stop_sweep(sweep, tmp_path)
    delete_run(folders[3])
    assert sweep_progress(sweep, tmp_path).states[folders[3].name] == MISSING
    launches = Launches()
    assert resume_sweep(sweep, tmp_path, launch=launches) == 3
    assert launches == ["cpu"]
    assert sweep_progress(sweep, tmp_path).counts == {"finished": 1, "queued": 3}
    with pytest.raises(SweepError, match="nothing of one was stopped"):
        resume_sweep(sweep, tmp_path, launch=launches)


def test_delete_takes_its_own_runs_and_no_other(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, GRID)
    other = plan_sweep("one-more", BASE, GRID)
    folders = start_sweep(sweep, tmp_path, launch=Launches())
    start_sweep(other, tmp_path, launch=Launches())
    with run_lock(folders[1]).acquire(), pytest.raises(SweepError, match="stop the sweep first"):
        delete_sweep(sweep, tmp_path)
    assert sweep_progress(sweep, tmp_path).counts == {"queued": 4}
    assert delete_sweep(sweep, tmp_path) == 4
    assert list_sweeps(tmp_path) == ["one-more"]
    assert sweep_progress(other, tmp_path).counts == {"queued": 4}


def test_working_a_sweep_off_goes_on_where_it_ended(tiny_config: RunConfig, tmp_path: Path) -> None:
    base = replace(tiny_config, epochs=1)
    sweep = plan_sweep("one", base, {"learning_rate": ("1e-3", "1e-2")})
    taken_up = take_up_sweep(sweep, tmp_path)
    work = work_off_sweep(taken_up, tmp_path)
    first, progress = next(work)
    work.close()  # interrupted after the first run
    assert progress.state == "finished"
    written = RunFolder(tmp_path / first).record.stat().st_mtime_ns
    again = take_up_sweep(sweep, tmp_path)
    states = {name: progress.state for name, progress in work_off_sweep(again, tmp_path)}
    assert states == {name: "finished" for name, _, _ in sweep.runs()}
    assert RunFolder(tmp_path / first).record.stat().st_mtime_ns == written
    changed = plan_sweep("one", replace(base, epochs=2), {"learning_rate": ("1e-3", "1e-2")})
    with pytest.raises(SweepError, match="with other settings is there already"):
        take_up_sweep(changed, tmp_path)


def test_a_run_in_other_hands_is_left_to_them(tiny_config: RunConfig, tmp_path: Path) -> None:
    sweep = take_up_sweep(plan_sweep("one", tiny_config, {}), tmp_path)
    folder = RunFolder(tmp_path / "one-base-s0")
    with run_lock(folder).acquire():
        [(name, progress)] = work_off_sweep(sweep, tmp_path)
    assert (name, progress.reason) == (folder.name, "another process works on it")
    assert read_progress(folder).state == "queued"


def test_the_commands_from_plan_to_table(
    capsys: pytest.CaptureFixture[str], tiny_csv: Path, tmp_path: Path
) -> None:
    def json_of(*words: str) -> object:
        assert main([*words, "--runs", str(tmp_path / "runs"), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    common = ("--recipe", "quick", "--data", str(tiny_csv), "--set", "epochs=1")
    small = ("--set", "model_options.widths=[4,8,8]", "--set", "device=cpu")
    plan = ("sweep", "one", *common, *small, "--vary", "optimizer=sgd,adam")
    dry = json_of(*plan, "--dry-run")
    assert dry["runs"] == ["one-sgd-s0", "one-adam-s0"]
    assert json_of("sweeps") == []
    worked = json_of(*plan, "--work")
    assert {row["optimizer"] for row in worked["rows"]} == {"sgd", "adam"}
    assert json_of("sweep-table", "one") == worked
    [listed] = json_of("sweeps")
    assert (listed["states"], listed["epochs_done"], listed["epochs"]) == ({"finished": 2}, 2, 2)
    assert main(["sweep-table", "one", "--format", "latex", "--runs", str(tmp_path / "runs")]) == 0
    assert r"\toprule" in capsys.readouterr().out
    assert main(["sweep-stop", "one", "--runs", str(tmp_path / "runs")]) == 2
    assert "nothing of one is running" in capsys.readouterr().err
    assert main(["sweep-delete", "one", "--runs", str(tmp_path / "runs")]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert json_of("sweep-delete", "one", "--yes") == {"deleted": 2}
    assert list((tmp_path / "runs").glob("one*")) == []
