"""Reading and writing a run folder: progress, epochs, record, log. Knows JSON and files, no torch.

Every write is append-and-flush or write-and-rename: whatever dies, the folder is readable.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fer_core.paths import RunFolder, replaced
from fer_core.runs.record_fields import (
    data_fits,
    epoch_fits,
    missing_field,
    progress_fits,
    record_misfit,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

STATES = ("queued", "running", "stopped", "finished", "failed", "interrupted")
#: What a run waits for; until it computes, its `Progress.device` is one of these.
QUEUES = ("cpu", "cuda")


class RunError(ValueError):
    """A run that cannot be started, stopped, resumed or read; the message says what to do."""


class BusyRun(RunError):
    """A run that another process works on."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    state: one of STATES; reason: why it failed or what it waits for, in plain words.
    heartbeat, started, queued_at: Unix seconds; seconds_left is None before it can be known.
    """

    state: str
    reason: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    device: str = ""
    heartbeat: float = 0.0
    started: float | None = None
    queued_at: float | None = None

    @property
    def device_words(self) -> str:
        """What it computes on, or ""."""
        return "" if self.device in QUEUES else self.device


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader sees the old or the new text, never a half."""
    with replaced(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_json(path: Path, values: dict[str, Any]) -> None:
    write_text(path, json.dumps(values, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None when there is no file or no whole JSON object in it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # no file, no text, no JSON
        return None
    return values if isinstance(values, dict) else None


def write_progress(folder: RunFolder, progress: Progress) -> None:
    write_json(folder.progress, {**asdict(progress), "heartbeat": time.time()})


def stored_progress(folder: RunFolder) -> Progress | None:
    """What progress.json says, whether or not the process still lives."""
    values = read_json(folder.progress)
    if values is None or values.get("state") not in STATES or not progress_fits(values):
        return None
    known = {item.name for item in fields(Progress)}
    return Progress(**{name: value for name, value in values.items() if name in known})


def read_progress(folder: RunFolder) -> Progress:
    """Where the run stands now; a run whose process is gone reads as interrupted."""
    progress = stored_progress(folder)
    if progress is None:
        if folder.record.is_file():
            return Progress(state="finished")
        return Progress(state="interrupted", reason="its progress file is missing or damaged")
    if progress.state == "running" and not is_alive(folder):
        again = stored_progress(folder)  # it may have ended between the two looks
        if again is not None and again.state != "running":
            return again
        reason = "the training process is gone; resume goes on from the last finished epoch"
        return Progress(**{**asdict(progress), "state": "interrupted", "reason": reason})
    return progress


def run_lock(folder: RunFolder) -> FileLock:
    """Held by the process that works on the run; the system frees it when that process dies."""
    return FileLock(folder.path / ".lock")


@contextmanager
def working_on(folder: RunFolder, wait_seconds: float) -> Iterator[None]:
    """Hold the run's lock meanwhile. BusyRun where another process keeps it for so long."""
    lock = run_lock(folder)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise BusyRun(f"another process works on {folder.name}; wait for it or stop it") from error
    try:
        yield
    finally:
        lock.release()


def is_alive(folder: RunFolder) -> bool:
    """Whether a process works on the run now."""
    try:
        probe = os.open(folder.path / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        if fcntl is not None:
            # Shared, so that two who look at the same moment do not take each other for the run.
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        else:
            with run_lock(folder).acquire(blocking=False):
                pass
    except (BlockingIOError, Timeout):
        return True
    finally:
        os.close(probe)  # which frees the shared lock
    return False


def append_epoch(folder: RunFolder, epoch: dict[str, Any]) -> None:
    """Add one finished epoch as a line, on disk before this returns."""
    with folder.epochs.open("a", encoding="utf-8") as file:
        file.write(json.dumps(epoch) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_epochs(folder: RunFolder) -> list[dict[str, Any]]:
    """Finished epochs in order; a torn or damaged line is left out, as is one whose figures are no
    numbers; of repeats the last one counts."""
    try:
        lines = folder.epochs.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    epochs: dict[int, dict[str, Any]] = {}
    for line in lines:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if epoch_fits(values):
            epochs[values["epoch"]] = values
    return [epochs[number] for number in sorted(epochs)]


def keep_epochs(folder: RunFolder, last: int) -> None:
    """Leave out what was written after epoch `last`, in one step."""
    kept = [epoch for epoch in read_epochs(folder) if epoch["epoch"] <= last]
    write_text(folder.epochs, "".join(json.dumps(epoch) + "\n" for epoch in kept))


def read_record(folder: RunFolder) -> dict[str, Any] | None:
    """The final scores, or None while there are none, and where they have a `record_fault`."""
    return examined_record(folder)[0]


def record_fault(folder: RunFolder) -> str:
    """What is wrong with a run's record, in a sentence that names the file and the field; "" for a
    good one and for none."""
    return examined_record(folder)[1]


def examined_record(folder: RunFolder) -> tuple[dict[str, Any] | None, str]:
    """`read_record` and `record_fault` by one look at the file."""
    values = read_json(folder.record)
    if values is None:
        found = "it holds no JSON table" if folder.record.is_file() else ""
    else:
        found = record_misfit(values)
    if not found:
        return values, ""
    return None, f"{_called(folder)} is damaged: {found}; mend it or leave the run out"


def checked_record(folder: RunFolder, *needed: str) -> dict[str, Any] | None:
    """`read_record`, but RunError where it has a fault or lacks one of these fields, such as
    "model.gflops"."""
    record, fault = examined_record(folder)
    if record is not None and (lacking := missing_field(record, needed)):
        fault = f"{_called(folder)} has no {lacking}; mend it or leave the run out"
    if fault:
        raise RunError(fault)
    return record


def _called(folder: RunFolder) -> str:
    """The record's file and its folder's name: where that lies is nobody's business on a page."""
    return f"{folder.path.resolve().name}/{folder.record.name}"


def read_data_facts(folder: RunFolder) -> dict[str, Any]:
    """What data.json says of a run's data, else its record; empty where neither says anything."""
    facts = read_json(folder.data)
    if facts and data_fits(facts):
        return facts
    return (read_record(folder) or {}).get("data") or {}


def read_log_tail(folder: RunFolder, lines: int = 20) -> str:
    """The log's last lines."""
    try:
        with folder.log.open(encoding="utf-8", errors="replace") as file:
            return "".join(deque(file, maxlen=lines)).rstrip("\n")
    except OSError:
        return ""


def list_runs(runs_folder: Path) -> list[RunFolder]:
    """Every run in the folder, newest first by the time it was queued."""
    if not Path(runs_folder).is_dir():
        return []
    found = [
        RunFolder(path)
        for path in Path(runs_folder).iterdir()
        if path.is_dir() and (path / "config.json").is_file()
    ]
    return sorted(found, key=lambda run: (_queued_at(run), run.name), reverse=True)


def _queued_at(run: RunFolder) -> float:
    progress = stored_progress(run)
    if progress is not None and progress.queued_at:
        return progress.queued_at
    try:
        return run.config.stat().st_mtime
    except OSError:
        return 0.0


def checked_name(name: str) -> str:
    """`name` if it can be a folder's: letters, digits, '.', '_', '-', at most 80, no dot first."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", str(name)):
        raise RunError(
            f"a run's name takes letters, digits, '.', '_' and '-' (at most 80), got {name!r}"
        )
    return str(name)
