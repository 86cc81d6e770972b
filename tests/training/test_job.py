"""Runs as processes: the queue, a killed child, resume, stop, and what must be refused."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from filelock import FileLock

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    Progress,
    RunError,
    read_epochs,
    read_progress,
    read_record,
    run_lock,
    write_progress,
)
from fer_core.training.job import (
    create_run,
    delete_run,
    ensure_worker,
    queue_state,
    resume_run,
    start_run,
    stop_run,
    take_up_queue,
    work_off_queue,
)
from fer_core.training.run import execute_run


def _no_launch(runs_folder: Path, device: str) -> None:
    """Leaves the run queued."""


def _wait(until: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def _children_of(folder: RunFolder) -> list[int]:
    """Process ids whose command line names the run's folder (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(folder.path).encode() in words:
                found.append(int(entry.name))
    return found


def test_queued_runs_are_worked_off_in_order(tiny_config: RunConfig, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    names = ["b-first", "a-second"]
    for name in names:
        start_run(replace(tiny_config, epochs=1), runs, name, launch=_no_launch)
    assert queue_state(runs) == [(name, "queued") for name in names]
    work_off_queue(runs, "cpu")
    assert queue_state(runs) == []
    ended = [read_progress(RunFolder(runs / name)) for name in names]
    assert [progress.state for progress in ended] == ["finished", "finished"]
    assert ended[0].heartbeat <= ended[1].started


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the child through /proc")
def test_a_killed_child_shows_as_interrupted_and_resumes(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, epochs=400)
    folder = start_run(config, tmp_path / "runs", "one")  # the real, detached worker
    _wait(lambda: len(read_epochs(folder)) >= 2)
    assert read_progress(folder).state == "running"
    with pytest.raises(RunError, match="is running; stop it first"):
        delete_run(folder)
    for process in _children_of(folder):
        os.kill(process, signal.SIGKILL)
    _wait(lambda: read_progress(folder).state != "running")
    _wait(lambda: not _children_of(folder))
    progress = read_progress(folder)
    assert progress.state == "interrupted"
    kept = len(read_epochs(folder))
    assert kept >= 2
    assert folder.weights.is_file()

    folder.config.write_text(replace(config, epochs=kept + 2).to_json())
    resume_run(folder)
    _wait(lambda: read_progress(folder).state == "finished")
    assert [epoch["epoch"] for epoch in read_epochs(folder)] == list(range(1, kept + 3))
    assert read_record(folder)["epochs_run"] == kept + 2


def test_stop_keeps_the_best_weights_and_resume_queues_again(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = start_run(replace(tiny_config, epochs=1000), tmp_path / "runs", "one")
    _wait(lambda: len(read_epochs(folder)) >= 1)
    stop_run(folder)
    _wait(lambda: read_progress(folder).state == "stopped")
    assert folder.weights.is_file()
    assert not folder.stop_request.exists()
    resume_run(folder, launch=_no_launch)
    assert read_progress(folder).state in ("queued", "running")  # its worker may be there still
    stop_run(folder)
    _wait(lambda: not _children_of(folder))
    assert read_progress(folder).state == "stopped"


def test_a_queued_run_leaves_the_queue_when_stopped(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    stop_run(folder)
    assert read_progress(folder).state == "stopped"
    assert queue_state(tmp_path / "runs") == []
    delete_run(folder)
    assert not folder.path.exists()


def test_a_stop_while_the_child_is_starting_is_not_lost(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    stop_run(folder)
    words = [sys.executable, "-m", "fer_core.training", str(folder.path)]  # what the worker starts
    assert subprocess.run(words, check=False).returncode == 0
    assert read_progress(folder).state == "stopped"
    assert read_epochs(folder) == []
    assert execute_run(folder).state == "stopped"  # and when it was past that look already
    resume_run(folder, launch=_no_launch)
    assert execute_run(folder).state == "finished"


def test_a_run_deleted_while_its_child_is_starting_stays_deleted(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    delete_run(folder)
    words = [sys.executable, "-m", "fer_core.training", str(folder.path)]  # what the worker starts
    assert subprocess.run(words, check=False).returncode == 0
    assert not folder.path.exists()


def test_a_restarted_app_takes_up_waiting_runs(tiny_config: RunConfig, tmp_path: Path) -> None:
    launched: list[tuple[Path, str]] = []

    def launch(runs_folder: Path, device: str) -> None:
        launched.append((runs_folder, device))

    take_up_queue(tmp_path / "runs", launch)
    assert launched == []
    start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    take_up_queue(tmp_path / "runs", launch)
    assert launched == [(tmp_path / "runs", "cpu")]


def test_no_worker_is_started_where_one_is_or_may_be_or_cannot(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    launched: list[str] = []

    def launch(_: Path, device: str) -> None:
        launched.append(device)

    runs = tmp_path / "runs"
    start_run(tiny_config, runs, "one", launch=_no_launch)
    lock, log = runs / ".worker-cpu.lock", runs / ".worker.log"
    with FileLock(lock):
        take_up_queue(runs, launch)
    log.touch()  # started a moment ago, still without its lock
    take_up_queue(runs, launch)
    lock.unlink()
    lock.mkdir()  # as in a folder that is closed to this process
    take_up_queue(runs, launch)
    assert launched == []
    lock.rmdir()
    minute_ago = time.time() - 60
    os.utime(log, (minute_ago, minute_ago))
    take_up_queue(runs, launch)
    assert launched == ["cpu"]


def test_the_log_tells_when_a_worker_was_last_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / ".worker.log"
    log.touch()
    os.utime(log, (0, 0))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: SimpleNamespace(wait=lambda: 0))
    ensure_worker(tmp_path, "cpu")
    assert time.time() - log.stat().st_mtime < 30


def test_a_device_works_off_only_its_own_runs(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    work_off_queue(tmp_path / "runs", "cuda")
    assert read_progress(folder).state == "queued"


def test_a_gpu_that_is_not_there_is_refused_before_a_folder_is_made(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RunError, match="set device=auto or cpu"):
        start_run(replace(tiny_config, device="cuda"), tmp_path / "runs", launch=_no_launch)
    assert not (tmp_path / "runs").exists()


def test_a_child_that_dies_at_once_is_failed_with_its_last_words(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = start_run(tiny_config, tmp_path / "runs", "one", launch=_no_launch)
    folder.config.write_text("{ broken")
    work_off_queue(tmp_path / "runs", "cpu")
    progress = read_progress(folder)
    assert progress.state == "failed"
    assert "not JSON" in progress.reason


def test_what_is_over_cannot_be_stopped_or_resumed(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = create_run(tiny_config, tmp_path / "runs", "one")
    write_progress(folder, Progress(state="finished"))
    with pytest.raises(RunError, match="is finished; only a queued or running run can stop"):
        stop_run(folder)
    with pytest.raises(RunError, match="only a stopped, interrupted or failed run resumes"):
        resume_run(folder, launch=_no_launch)


def test_names_are_checked_and_never_reused(tiny_config: RunConfig, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    create_run(tiny_config, runs, "one")
    with pytest.raises(RunError, match=r"already \(never started\); choose another name, or del"):
        create_run(tiny_config, runs, "one")
    with pytest.raises(RunError, match="a run's name takes"):
        create_run(tiny_config, runs, "../one")
    first, second = create_run(tiny_config, runs), create_run(tiny_config, runs)
    assert first.path != second.path


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(state="failed", reason="no file x.csv."), " (failed: no file x.csv)"),
        (Progress(state="queued"), " (queued)"),
    ],
)
def test_a_taken_name_tells_of_the_run_that_has_it(
    tiny_config: RunConfig, tmp_path: Path, progress: Progress, said: str
) -> None:
    folder = create_run(tiny_config, tmp_path, "v3")
    write_progress(folder, progress)
    with pytest.raises(RunError) as refused:
        create_run(tiny_config, tmp_path, "v3")
    assert str(refused.value) == (
        f"a run named 'v3' is there already{said}; choose another name, or delete the folder "
        f"{tmp_path / 'v3'} first"
    )


def test_nothing_that_works_or_is_no_run_is_offered_for_deletion(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = create_run(tiny_config, tmp_path, "v3")
    write_progress(folder, Progress(state="running"))
    with run_lock(folder), pytest.raises(RunError, match=r"\(running\); choose another name$"):
        create_run(tiny_config, tmp_path, "v3")
    (tmp_path / "mine").mkdir()
    with pytest.raises(RunError, match="mine is there already and is no run; choose another name"):
        create_run(tiny_config, tmp_path, "mine")


def test_only_a_run_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(RunError, match="is no run; nothing was deleted"):
        delete_run(RunFolder(tmp_path / "holiday"))
    assert (tmp_path / "holiday").is_dir()


def test_a_held_lock_means_alive(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = create_run(tiny_config, tmp_path / "runs", "one")
    with run_lock(folder).acquire(), pytest.raises(RunError, match="is running"):
        delete_run(folder)


def test_of_several_that_wait_for_a_device_one_stays(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    folder = start_run(replace(tiny_config, epochs=1), runs, "one", launch=_no_launch)
    working, waiting = FileLock(runs / ".worker-cpu.lock"), FileLock(runs / ".next-cpu.lock")
    with working, waiting:
        work_off_queue(runs, "cpu")  # returns at once: somebody waits already
        assert read_progress(folder).state == "queued"
    work_off_queue(runs, "cpu")
    assert read_progress(folder).state == "finished"
    assert not waiting.is_locked


def test_a_run_resumed_while_its_stopped_child_ends_goes_on(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = start_run(replace(tiny_config, epochs=1), tmp_path / "runs", "one", launch=_no_launch)
    real, calls = subprocess.run, []

    def child(*words: Any, **options: Any) -> Any:
        calls.append(words)
        if len(calls) > 1:
            return real(*words, **options)
        write_progress(folder, replace(read_progress(folder), state="stopped"))
        resume_run(folder, launch=_no_launch)  # by a visitor, before the process has gone
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr("fer_core.training.job.subprocess.run", child)
    work_off_queue(tmp_path / "runs", "cpu")
    assert len(calls) == 2
    assert read_progress(folder).state == "finished"


def test_a_run_that_another_process_finished_meanwhile_is_not_run_again(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = start_run(replace(tiny_config, epochs=1), tmp_path / "runs", "one", launch=_no_launch)
    execute_run(folder)
    before = folder.record.stat().st_mtime_ns
    words = [sys.executable, "-m", "fer_core.training", str(folder.path)]  # what the worker starts
    assert subprocess.run(words, check=False).returncode == 0
    assert folder.record.stat().st_mtime_ns == before
