"""Runs that belong together: queue them, stop, resume, or work them off in this process.

A sweep and a comparison under one budget are both such plans. What is known about their runs is
read from the run folders every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    BusyRun,
    Progress,
    RunError,
    read_progress,
    stored_progress,
    working_on,
)
from fer_core.training.devices import choose_device
from fer_core.training.job import Launch, create_run, resume_run, start_run, stop_run

#: States of a run that can be stopped, in the order in which that is done: were the running one
#: stopped first, one that waits would move up meanwhile.
WAITING = ("queued", "running")
RESUMABLE = ("stopped", "interrupted", "failed")
#: The state of a run whose folder is not there (any more).
MISSING = "missing"

#: Run → what makes its settings, called only when its folder has to be made.
Plan = Mapping[str, Callable[[], RunConfig]]


def check_devices(configs: Iterable[RunConfig], refusal: type[RunError]) -> None:
    """Raises `refusal` for a GPU that is not there."""
    for device in {config.device for config in configs}:
        try:
            choose_device(device)
        except RuntimeError as error:
            raise refusal(str(error)) from error


def queue_runs(
    configs: Mapping[str, RunConfig], runs_folder: Path, launch: Launch
) -> list[RunFolder]:
    """Make and queue every run, in the order given; `launch` is called once per device."""
    with _one_worker(Path(runs_folder), launch) as later:
        return [
            start_run(config, runs_folder, name, launch=later) for name, config in configs.items()
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


def stop_runs(folders: Iterable[RunFolder]) -> int:
    """Take waiting runs out of the queue and stop running ones; returns how many."""
    stopped, folders = 0, list(folders)
    for wanted in WAITING:
        for folder in folders:
            if read_progress(folder).state == wanted:
                with suppress(RunError):  # it ended between the two looks
                    stop_run(folder)
                    stopped += 1
    return stopped


def resume_runs(plan: Plan, runs_folder: Path, launch: Launch) -> int:
    """Queue again what was stopped, interrupted or failed, and what was never made; returns how
    many that were. `launch` is called once per device."""
    resumed = 0
    with _one_worker(Path(runs_folder), launch) as later:
        for name, settings in plan.items():
            folder = RunFolder(Path(runs_folder) / name)
            if not folder.config.is_file():
                start_run(settings(), runs_folder, name, launch=later)
            elif read_progress(folder).state in RESUMABLE:
                resume_run(folder, launch=later)
            else:
                continue
            resumed += 1
    return resumed


def work_off(
    plan: Plan,
    runs_folder: Path,
    show: Callable[[Progress], None] = lambda progress: None,
    skip_busy: bool = False,
) -> Iterator[tuple[str, Progress]]:
    """Execute what is not finished, in this process; yields (run, how it ended), finished ones too.

    It can be broken off at any place and begun again. It ends after a run that was stopped, which
    somebody asked for from outside. show: called with the progress of the run in hand. skip_busy:
    a run that another process works on is left to it and yielded as it stands, else BusyRun.
    """
    for name, settings in plan.items():
        folder = RunFolder(Path(runs_folder) / name)
        if not folder.config.is_file():
            create_run(settings(), Path(runs_folder), name)
        try:
            progress = _execute(folder, show)
        except BusyRun:
            if not skip_busy:
                raise
            yield name, replace(read_progress(folder), reason="another process works on it")
            continue
        yield name, progress
        if progress.state == "stopped":
            return


def _execute(folder: RunFolder, show: Callable[[Progress], None]) -> Progress:
    """How the run ended, now or, if it had finished already, before."""
    from fer_core.training.run import execute_run

    with working_on(folder, 0):
        before = stored_progress(folder)
        if before is not None and before.state == "finished":
            return before
        folder.stop_request.unlink(missing_ok=True)
        return execute_run(folder, show)
