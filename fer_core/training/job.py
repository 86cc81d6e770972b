"""Starting, stopping, resuming and deleting runs: processes behind a queue, one run per device.

The run folder is the only thing that connects a process to the page, so a run outlives both the
browser and a restart of the app. Each device ("cpu", "cuda") has a detached worker that takes its
queued runs in order of their time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock, Timeout

from fer_core.paths import RunFolder, python_path
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import repeat_command
from fer_core.runs.record import (
    QUEUES,
    Progress,
    RunError,
    checked_name,
    is_alive,
    list_runs,
    read_progress,
    write_progress,
    write_text,
)
from fer_core.training.devices import choose_device

__all__ = [
    "delete_run",
    "ensure_worker",
    "queue_state",
    "repeat_command",
    "resume_run",
    "start_run",
    "stop_run",
    "take_up_queue",
]

#: Starts the worker of a runs folder for a device; tests pass one that does nothing.
Launch = Callable[[Path, str], None]
_WORKER_LOG = ".worker.log"
#: Seconds that a worker may need until it holds its lock.
_STARTING = 30


def ensure_worker(runs_folder: Path, device: str) -> None:
    """Start a detached process that works off the queue of a device, if none does already.

    Starting one too many is harmless: it ends at once where another waits for its turn already.
    """
    # Threads that wait must not spin: the page and the browser need the same processor cores.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": python_path()}
    log = Path(runs_folder) / _WORKER_LOG
    log.touch()  # its time is that of the last start, by whichever process
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "fer_core.training",
                "--queue",
                device,
                str(Path(runs_folder).resolve()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a stop of the app must not reach it
            env=environment,
        )
    # Collects its exit code when it ends, so that no dead process is left in the system's table.
    threading.Thread(target=process.wait, daemon=True).start()


def create_run(config: RunConfig, runs_folder: Path, name: str | None = None) -> RunFolder:
    """A new run folder with its config, not yet queued. RunError for a taken or unusable name."""
    runs_folder = Path(runs_folder)
    try:
        runs_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"the runs folder {runs_folder} cannot be made: {error}") from error
    chosen = checked_name(name or _free_name(config.recipe, runs_folder))
    folder = RunFolder(runs_folder / chosen)
    try:
        folder.path.mkdir()
    except FileExistsError as error:
        raise RunError(_taken(folder)) from error
    write_text(folder.config, config.to_json())
    return folder


def _taken(folder: RunFolder) -> str:
    """Why a run cannot have this folder's name, and what became of the one that has it."""
    if not folder.config.is_file():
        return f"{folder.path} is there already and is no run; choose another name"
    progress = read_progress(folder)
    what = progress.state
    if what == "interrupted" and not folder.progress.is_file():
        what = "never started"
    elif what == "failed":
        what = f"failed: {progress.reason.rstrip('.')}"
    instead = "" if what == "running" else f", or delete the folder {folder.path} first"
    return f"a run named {folder.name!r} is there already ({what}); choose another name{instead}"


def _free_name(recipe: str, runs_folder: Path) -> str:
    stem = f"{recipe}-{time.strftime('%m%d-%H%M')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (runs_folder / name).exists())


def start_run(
    config: RunConfig, runs_folder: Path, name: str | None = None, launch: Launch = ensure_worker
) -> RunFolder:
    """Put a run into the queue; it starts when those before it have ended."""
    device = _device_of(config)  # refused before there is a folder
    folder = create_run(config, runs_folder, name)
    _queue(folder, device, config.epochs)
    launch(Path(runs_folder), device)
    return folder


def _device_of(config: RunConfig) -> str:
    """ "cpu" or "cuda". RunError for a GPU that is not there."""
    try:
        return choose_device(config.device).type
    except RuntimeError as error:
        raise RunError(str(error)) from error


def _queue(folder: RunFolder, device: str, epochs: int, epoch: int = 0) -> None:
    folder.stop_request.unlink(missing_ok=True)
    waiting = Progress(
        state="queued", epochs=epochs, epoch=epoch, device=device, queued_at=time.time()
    )
    write_progress(folder, waiting)


def stop_run(folder: RunFolder) -> None:
    """Ask a running run to stop after its current batch, or take a queued one out of the queue."""
    progress = read_progress(folder)
    if progress.state == "queued":
        stopped = replace(progress, state="stopped", reason="stopped before it began")
        write_progress(folder, stopped)
        folder.stop_request.touch()  # its process may be starting already, and would write over it
    elif progress.state == "running":
        folder.stop_request.touch()
    else:
        raise RunError(f"{folder.name} is {progress.state}; only a queued or running run can stop")


def resume_run(folder: RunFolder, launch: Launch = ensure_worker) -> None:
    """Queue a run again; it goes on after its last finished epoch."""
    progress = read_progress(folder)
    if progress.state not in ("stopped", "interrupted", "failed"):
        raise RunError(
            f"{folder.name} is {progress.state}; only a stopped, interrupted or failed run resumes"
        )
    config = RunConfig.from_run(folder)
    device = _device_of(config)
    _queue(folder, device, config.epochs, progress.epoch)
    launch(folder.path.parent, device)


def delete_run(folder: RunFolder) -> None:
    """Remove a run's folder for good. RunError while it runs or when it is no run."""
    if not folder.config.is_file():
        raise RunError(f"{folder.path} is no run; nothing was deleted")
    if is_alive(folder):
        raise RunError(f"{folder.name} is running; stop it first")
    shutil.rmtree(folder.path)


def queue_state(runs_folder: Path) -> list[tuple[str, str]]:
    """(name, state) of the running runs and the queued ones, in the order of their turn."""
    return [(run.name, progress.state) for run, progress in _waiting(runs_folder)]


def _waiting(runs_folder: Path) -> list[tuple[RunFolder, Progress]]:
    found = [(run, read_progress(run)) for run in list_runs(runs_folder)]
    waiting = [
        (run, progress) for run, progress in found if progress.state in ("queued", "running")
    ]
    return sorted(waiting, key=lambda pair: (pair[1].state != "running", pair[1].queued_at or 0))


def _queued(runs_folder: Path, device: str) -> list[RunFolder]:
    """Runs that wait for a device, the next one first; one of an unknown device waits for "cpu"."""
    return [
        run
        for run, progress in _waiting(runs_folder)
        if progress.state == "queued" and (progress.device or "cpu") == device
    ]


def work_off_queue(runs_folder: Path, device: str) -> None:
    """Execute a device's queued runs, each in a process of its own, until none is left.

    Where another process does, this one waits for it, for a run may be queued just as that one
    ends; one that waits is enough, a third returns.
    """
    turn = FileLock(Path(runs_folder) / f".next-{device}.lock")
    try:
        turn.acquire(timeout=0)
    except Timeout:
        return
    with FileLock(Path(runs_folder) / f".worker-{device}.lock"):
        turn.release()  # before the queue is read: what is queued from now on finds the turn free
        while waiting := _queued(runs_folder, device):
            folder = waiting[0]
            queued_at = read_progress(folder).queued_at
            ended = subprocess.run(
                [sys.executable, "-m", "fer_core.training", str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
            )
            progress = read_progress(folder)
            # queued as before: it died before it could say why; queued anew: resumed meanwhile
            if progress.state == "queued" and progress.queued_at == queued_at:
                lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
                values = {**asdict(progress), "state": "failed", "reason": lines[-1]}
                write_progress(folder, Progress(**values))


def take_up_queue(runs_folder: Path, launch: Launch = ensure_worker) -> None:
    """Start the workers that waiting runs need and that are not there: killed, or lost with a
    restart of the machine. Does nothing where one may still be starting or nothing can be written.
    """
    for device in QUEUES:
        if _queued(runs_folder, device) and not _attended(Path(runs_folder), device):
            launch(Path(runs_folder), device)


def _attended(runs_folder: Path, device: str) -> bool:
    """Whether a worker of this device is at work, is about to be, or could do nothing here."""
    try:
        with FileLock(runs_folder / f".worker-{device}.lock", timeout=0):
            log = runs_folder / _WORKER_LOG
            return log.exists() and time.time() - log.stat().st_mtime < _STARTING
    except (Timeout, OSError):
        return True
