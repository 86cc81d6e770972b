"""Running the reference systems one after another, each in a run folder of its own name.

What is finished is kept, what was broken off goes on: the command can be given again at any time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fer_core.paths import RunFolder, python_path
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    Progress,
    RunError,
    read_progress,
    stored_progress,
    working_on,
    write_progress,
)
from fer_core.runs.references import Reference
from fer_core.training.job import create_run
from fer_core.training.run import execute_run


def reference_folder(reference: Reference, runs_folder: Path) -> RunFolder:
    """Where the run of a reference lies."""
    return RunFolder(Path(runs_folder) / reference.name)


def reproduce(
    reference: Reference,
    data: str,
    runs_folder: Path,
    whole: bool,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Run one reference to its end and return how it ended; a finished one is left as it is.

    whole: False takes the part that fits a machine without a GPU. RunError when the folder holds a
    run with other settings, or another process works on it.
    """
    folder = _ready_folder(reference, data, runs_folder, whole)
    if _is_finished(folder):
        return read_progress(folder)
    with working_on(folder, 1):
        return execute_run(folder, show)


def reproduce_beside(
    chosen: Sequence[Reference], data: str, runs_folder: Path, whole: bool, jobs: int
) -> Iterator[tuple[Reference, Progress]]:
    """Run several references, `jobs` at a time, each in a process of its own; yields how each
    ended, in the order given.

    Meant for a GPU, which small networks leave idle between their steps.
    RunError as in `reproduce`, before anything runs.
    """
    folders = [_ready_folder(reference, data, runs_folder, whole) for reference in chosen]
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        yield from zip(chosen, pool.map(_run_child, folders), strict=True)


def _run_child(folder: RunFolder) -> Progress:
    if not _is_finished(folder):
        command = [sys.executable, "-m", "fer_core.training", str(folder.path)]
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path()},
        )
        if stored_progress(folder) is None:  # it died before it could say why
            lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
            return Progress(state="failed", reason=lines[-1])
    return read_progress(folder)


def _ready_folder(reference: Reference, data: str, runs_folder: Path, whole: bool) -> RunFolder:
    """The folder of a reference's run, made if need be. RunError when it holds another run."""
    config = reference.config(data, whole)
    folder = reference_folder(reference, Path(runs_folder).resolve())
    if not folder.config.is_file():
        return create_run(config, folder.path.parent, reference.name)
    _check_same(folder, config)
    if not _is_finished(folder):
        folder.stop_request.unlink(missing_ok=True)
        before = stored_progress(folder)
        if before is not None and before.state == "stopped":  # its process would take that for new
            write_progress(folder, replace(before, state="interrupted"))
    return folder


def _is_finished(folder: RunFolder) -> bool:
    return folder.record.is_file() and read_progress(folder).state == "finished"


def _check_same(folder: RunFolder, config: RunConfig) -> None:
    found = RunConfig.from_run(folder).to_dict()
    different = [
        f"{name} {found[name]!r} instead of {value!r}"
        for name, value in config.to_dict().items()
        if found[name] != value and name not in ("device", "precision")
    ]
    if different:
        raise RunError(
            f"{folder.path} holds a run with other settings ({'; '.join(different)}); "
            "name another --runs folder or delete it"
        )
