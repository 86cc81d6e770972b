"""The runs of a sweep as a whole: queue them, see how far they are, stop, resume, delete.

What is known about them is read from their folders every time.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core.paths import RunFolder
from fer_core.runs.record import Progress, is_alive, read_epochs, read_progress
from fer_core.training.job import Launch, delete_run, ensure_worker
from fer_core.training.planned_runs import (
    MISSING,
    RESUMABLE,
    WAITING,
    Plan,
    check_devices,
    queue_runs,
    resume_runs,
    stop_runs,
    work_off,
)
from fer_core.training.sweep import MAX_RUNS, Sweep, SweepError
from fer_core.training.sweep_files import plan_file, read_sweep, save_sweep


@dataclass(frozen=True)
class SweepProgress:
    """Where all runs of a sweep stand together.

    states: run → its state, or MISSING. epochs_done of epochs: a finished run counts as whole, also
    when it stopped early. epochs_finished: lines of every epochs.jsonl together. seconds_left:
    estimated for running and queued runs one after another; None before the first epoch.
    reasons: failed run → why.
    """

    states: dict[str, str]
    epochs_done: float
    epochs: int
    epochs_finished: int
    seconds_left: float | None
    reasons: dict[str, str]

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.states.values())

    @property
    def share(self) -> float:
        return min(1.0, self.epochs_done / self.epochs) if self.epochs else 0.0

    @property
    def can_stop(self) -> bool:
        return any(state in WAITING for state in self.states.values())

    @property
    def can_resume(self) -> bool:
        return any(state in (*RESUMABLE, MISSING) for state in self.states.values())


def check_free(sweep: Sweep, runs_folder: Path) -> None:
    """SweepError when the sweep's name, or that of one of its runs, is taken."""
    if plan_file(runs_folder, sweep.name).exists():
        raise SweepError(f"a sweep named {sweep.name!r} is there already; choose another name")
    for name, _, _ in sweep.runs():
        if (Path(runs_folder) / name).exists():
            raise SweepError(f"a run named {name!r} is there already; choose another name")


def start_sweep(sweep: Sweep, runs_folder: Path, launch: Launch = ensure_worker) -> list[RunFolder]:
    """Write the plan and queue all of its runs. Nothing is made when a name is taken."""
    check_free(sweep, runs_folder)
    configs = {name: settings() for name, settings in _planned(sweep).items()}
    check_devices(configs.values(), SweepError)
    save_sweep(sweep, runs_folder)
    return queue_runs(configs, runs_folder, launch)


def _planned(sweep: Sweep) -> Plan:
    return {name: functools.partial(sweep.config, cell, seed) for name, cell, seed in sweep.runs()}


def sweep_folders(sweep: Sweep, runs_folder: Path) -> dict[str, RunFolder]:
    """Run → its folder, for those that are there."""
    folders = {name: RunFolder(Path(runs_folder) / name) for name, _, _ in sweep.runs()}
    return {name: folder for name, folder in folders.items() if folder.config.is_file()}


def sweep_progress(sweep: Sweep, runs_folder: Path) -> SweepProgress:
    """Read every run's folder and add up."""
    folders = sweep_folders(sweep, runs_folder)
    states: dict[str, str] = {}
    reasons: dict[str, str] = {}
    done, left = 0.0, 0.0  # epochs that are finished; epochs that running and queued runs still do
    total, seconds, timed = 0, 0.0, 0
    for name, cell, seed in sweep.runs():
        if name not in folders:
            states[name] = MISSING
            total += sweep.config(cell, seed).epochs
            continue
        progress = read_progress(folders[name])
        states[name] = progress.state
        planned = progress.epochs or sweep.config(cell, seed).epochs
        total += planned
        if progress.state == "failed":
            reasons[name] = progress.reason
        count, taken = _epochs_so_far(folders[name])
        seconds += taken
        timed += count
        if progress.state == "finished":
            done += planned
            continue
        finished: float = count
        if progress.state == "running" and progress.steps:
            finished += progress.step / progress.steps
        finished = min(planned, finished)
        done += finished
        if progress.state in WAITING:
            left += planned - finished
    known = seconds / timed if timed else None
    waits = any(state in WAITING for state in states.values())
    return SweepProgress(
        states=states,
        epochs_done=done,
        epochs=total,
        epochs_finished=timed,
        seconds_left=known * left if known is not None and waits else None,
        reasons=reasons,
    )


def _epochs_so_far(folder: RunFolder) -> tuple[int, float]:
    """How many epochs are finished and their seconds together."""
    try:
        written = folder.epochs.stat()
    except OSError:
        return 0, 0.0
    return _count_epochs(folder, written.st_mtime_ns, written.st_size)


@functools.lru_cache(maxsize=4 * MAX_RUNS)
def _count_epochs(folder: RunFolder, written: int, size: int) -> tuple[int, float]:
    """As `_epochs_so_far`; a page asks every other second, and a file is read when it changed."""
    epochs = read_epochs(folder)
    return len(epochs), sum(epoch.get("seconds", 0.0) for epoch in epochs)


def stop_sweep(sweep: Sweep, runs_folder: Path) -> int:
    """Take the queued runs out of the queue and stop the running one; returns how many."""
    stopped = stop_runs(sweep_folders(sweep, runs_folder).values())
    if not stopped:
        raise SweepError(f"nothing of {sweep.name} is running or waiting")
    return stopped


def resume_sweep(sweep: Sweep, runs_folder: Path, launch: Launch = ensure_worker) -> int:
    """Queue again what was stopped, interrupted or failed, and what was never made."""
    resumed = resume_runs(_planned(sweep), runs_folder, launch)
    if not resumed:
        raise SweepError(f"nothing of {sweep.name} was stopped; all of it is done or in the queue")
    return resumed


def delete_sweep(sweep: Sweep, runs_folder: Path) -> int:
    """Remove the sweep's runs and its plan for good; returns the number of runs removed."""
    folders = sweep_folders(sweep, runs_folder)
    running = [name for name, folder in folders.items() if is_alive(folder)]
    if running:
        raise SweepError(f"{running[0]} is running; stop the sweep first")
    for folder in folders.values():
        delete_run(folder)
    plan_file(runs_folder, sweep.name).unlink(missing_ok=True)
    return len(folders)


def take_up_sweep(sweep: Sweep, runs_folder: Path) -> Sweep:
    """The stored sweep, made now if it is new, its runs queued but no worker started.

    A sweep of the same name and plan is gone on with; SweepError when the plan differs.
    """
    if not plan_file(runs_folder, sweep.name).is_file():
        start_sweep(sweep, runs_folder, launch=lambda folder, device: None)
        return read_sweep(runs_folder, sweep.name)
    stored = read_sweep(runs_folder, sweep.name)
    if not stored.same_plan(sweep):
        raise SweepError(
            f"a sweep named {sweep.name!r} with other settings is there already; "
            "choose another name"
        )
    return stored


def work_off_sweep(
    sweep: Sweep, runs_folder: Path, show: Callable[[Progress], None] = lambda progress: None
) -> Iterator[tuple[str, Progress]]:
    """As `work_off`; a run that another process works on is left to it."""
    return work_off(_planned(sweep), runs_folder, show, skip_busy=True)
