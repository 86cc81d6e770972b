"""The runs of a sweep as a whole: queue them, see how far they are, stop, resume, delete.

What is known about them is read from their folders every time.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import Timeout

from fer_core.paths import RunFolder
from fer_core.runs.record import (
    Progress,
    RunError,
    is_alive,
    read_epochs,
    read_progress,
    run_lock,
    stored_progress,
)
from fer_core.training.devices import choose_device
from fer_core.training.job import (
    Launch,
    delete_run,
    ensure_worker,
    resume_run,
    start_run,
    stop_run,
)
from fer_core.training.sweep import MAX_RUNS, Sweep, SweepError
from fer_core.training.sweep_files import plan_file, read_sweep, save_sweep

_WAITING = ("queued", "running")
_RESUMABLE = ("stopped", "interrupted", "failed")
#: The state of a run whose folder is not there (any more).
MISSING = "missing"


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
        return any(state in _WAITING for state in self.states.values())

    @property
    def can_resume(self) -> bool:
        return any(state in (*_RESUMABLE, MISSING) for state in self.states.values())


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
    _check_device(sweep)
    save_sweep(sweep, runs_folder)
    with _one_worker(Path(runs_folder), launch) as later:
        return [
            start_run(sweep.config(cell, seed), runs_folder, name, launch=later)
            for name, cell, seed in sweep.runs()
        ]


@contextmanager
def _one_worker(runs_folder: Path, launch: Launch) -> Iterator[Launch]:
    """Collects the workers that runs ask for and starts one per device at the end."""
    devices: dict[str, None] = {}
    try:
        yield lambda folder, device: devices.setdefault(device)
    finally:  # also when a later run could not be made: those before it wait
        for device in devices:
            launch(runs_folder, device)


def _check_device(sweep: Sweep) -> None:
    """SweepError for a GPU that is not there."""
    for device in {sweep.config(cell, sweep.seeds[0]).device for cell in sweep.cells}:
        try:
            choose_device(device)
        except RuntimeError as error:
            raise SweepError(str(error)) from error


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
        if progress.state in _WAITING:
            left += planned - finished
    known = seconds / timed if timed else None
    waits = any(state in _WAITING for state in states.values())
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
    stopped = 0
    folders = sweep_folders(sweep, runs_folder).values()
    for wanted in _WAITING:  # queued ones first, so that none moves up meanwhile
        for folder in folders:
            if read_progress(folder).state == wanted:
                with suppress(RunError):  # it ended between the two looks
                    stop_run(folder)
                    stopped += 1
    if not stopped:
        raise SweepError(f"nothing of {sweep.name} is running or waiting")
    return stopped


def resume_sweep(sweep: Sweep, runs_folder: Path, launch: Launch = ensure_worker) -> int:
    """Queue again what was stopped, interrupted or failed, and what was never made."""
    folders = sweep_folders(sweep, runs_folder)
    resumed = 0
    with _one_worker(Path(runs_folder), launch) as later:
        for name, cell, seed in sweep.runs():
            if name not in folders:
                start_run(sweep.config(cell, seed), runs_folder, name, launch=later)
            elif read_progress(folders[name]).state in _RESUMABLE:
                resume_run(folders[name], launch=later)
            else:
                continue
            resumed += 1
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
    """Execute the runs that are not finished, in this process; yields (run, how it ended) of all.

    show: called with the progress of the run in hand. A run that another process works on is left
    to it.
    """
    from fer_core.training.run import execute_run

    for name, cell, seed in sweep.runs():
        folder = RunFolder(Path(runs_folder) / name)
        if not folder.config.is_file():
            start_run(sweep.config(cell, seed), runs_folder, name, launch=lambda *asked: None)
        try:
            with run_lock(folder).acquire(timeout=0):
                before = stored_progress(folder)
                if before is not None and before.state == "finished":
                    yield name, before
                    continue
                folder.stop_request.unlink(missing_ok=True)
                progress = execute_run(folder, show)
        except Timeout:
            reason = "another process works on it"
            yield name, replace(read_progress(folder), reason=reason)
            continue
        yield name, progress
        if progress.state == "stopped":  # asked for from the page
            return
