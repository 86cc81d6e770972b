"""Runs of one plan: queued behind one worker per device, and worked off until one is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    BusyRun,
    Progress,
    RunError,
    read_progress,
    run_lock,
    stored_progress,
    write_progress,
)
from fer_core.training.job import delete_run
from fer_core.training.planned_runs import (
    check_devices,
    queue_runs,
    resume_runs,
    stop_runs,
    work_off,
)

BASE = RunConfig(recipe="quick", model="expressnet_demo", epochs=4, device="cpu")
CONFIGS = {name: replace(BASE, seed=seed) for seed, name in enumerate(("one", "two", "three"))}
PLAN = {name: partial(replace, config) for name, config in CONFIGS.items()}


@pytest.fixture
def launched() -> list[str]:
    return []


@pytest.fixture
def launch(launched: list[str]) -> Callable[[Path, str], None]:
    """Notes which workers were asked for and starts none."""
    return lambda runs_folder, device: launched.append(device)


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Run → state that it ends in; training is left out. Names not put in here finish."""
    ends: dict[str, str] = {}

    def execute(folder: RunFolder, show: Callable[[Progress], None]) -> Progress:
        assert not folder.stop_request.exists()
        progress = Progress(ends.setdefault(folder.name, "finished"))
        write_progress(folder, progress)
        return progress

    monkeypatch.setattr("fer_core.training.run.execute_run", execute)
    return ends


def test_one_worker_is_asked_for_all_runs_of_a_device(
    tmp_path: Path, launch: Callable[[Path, str], None], launched: list[str]
) -> None:
    folders = queue_runs(CONFIGS, tmp_path, launch)
    assert [read_progress(folder).state for folder in folders] == ["queued"] * 3
    assert launched == ["cpu"]


def test_runs_before_one_that_cannot_be_made_get_their_worker(
    tmp_path: Path, launch: Callable[[Path, str], None], launched: list[str]
) -> None:
    (tmp_path / "two").mkdir()
    with pytest.raises(RunError, match="two is there already and is no run"):
        queue_runs(CONFIGS, tmp_path, launch)
    assert read_progress(RunFolder(tmp_path / "one")).state == "queued"
    assert launched == ["cpu"]


def test_a_device_that_is_not_there_is_refused_as_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    check_devices(CONFIGS.values(), BusyRun)
    with pytest.raises(BusyRun, match="no CUDA GPU"):
        check_devices([BASE, replace(BASE, device="cuda")], BusyRun)


def test_stopped_runs_go_on_together_and_deleted_ones_are_made_anew(
    tmp_path: Path, launch: Callable[[Path, str], None], launched: list[str]
) -> None:
    folders = queue_runs(CONFIGS, tmp_path, launch)
    write_progress(folders[0], Progress("finished"))
    assert stop_runs(folders) == 2
    assert stop_runs(folders) == 0
    delete_run(folders[2])
    launched.clear()
    assert resume_runs(PLAN, tmp_path, launch) == 2
    assert [read_progress(folder).state for folder in folders] == ["finished", "queued", "queued"]
    assert launched == ["cpu"]
    assert resume_runs(PLAN, tmp_path, launch) == 0


def test_what_is_finished_is_not_executed_again(tmp_path: Path, executed: dict[str, str]) -> None:
    executed["two"] = "failed"
    assert [(name, now.state) for name, now in work_off(PLAN, tmp_path)] == [
        ("one", "finished"),
        ("two", "failed"),
        ("three", "finished"),
    ]
    executed.clear()
    assert [now.state for _, now in work_off(PLAN, tmp_path)] == ["finished"] * 3
    assert list(executed) == ["two"]
    assert (tmp_path / "three" / "config.json").read_text() == CONFIGS["three"].to_json()


def test_a_stop_from_outside_ends_the_work_and_the_next_call_goes_on(
    tmp_path: Path, executed: dict[str, str]
) -> None:
    executed["two"] = "stopped"
    assert [name for name, _ in work_off(PLAN, tmp_path)] == ["one", "two"]
    assert not (tmp_path / "three").exists()
    RunFolder(tmp_path / "two").stop_request.touch()  # the request that stopped it
    executed.clear()
    assert [now.state for _, now in work_off(PLAN, tmp_path)] == ["finished"] * 3
    assert list(executed) == ["two", "three"]


def test_a_run_in_other_hands_is_refused_or_left_to_them(
    tmp_path: Path, executed: dict[str, str]
) -> None:
    list(work_off(PLAN, tmp_path))
    folder = RunFolder(tmp_path / "two")
    with run_lock(folder).acquire():
        write_progress(folder, Progress("running"))
        work = work_off(PLAN, tmp_path)
        assert next(work)[0] == "one"
        with pytest.raises(BusyRun, match="another process works on two; wait for it or stop it"):
            next(work)
        found = list(work_off(PLAN, tmp_path, skip_busy=True))
    assert [(name, now.state) for name, now in found] == [
        ("one", "finished"),
        ("two", "running"),
        ("three", "finished"),
    ]
    assert found[1][1].reason == "another process works on it"
    assert stored_progress(folder).reason == ""
