"""Running the reference systems one after another, each in a run folder of its own name.

What is finished is kept, what was broken off goes on: the command can be given again at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import Timeout

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import Progress, RunError, read_progress, run_lock
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
    config = reference.config(data, whole)
    folder = reference_folder(reference, runs_folder)
    if folder.config.is_file():
        _check_same(folder, config)
        progress = read_progress(folder)
        if progress.state == "finished":
            return progress
        folder.stop_request.unlink(missing_ok=True)
    else:
        create_run(config, runs_folder, reference.name)
    try:
        with run_lock(folder).acquire(timeout=1):
            return execute_run(folder, show)
    except Timeout as error:
        raise RunError(f"another process works on {folder.name}; wait for it or stop it") from error


def _check_same(folder: RunFolder, config: RunConfig) -> None:
    found = RunConfig.from_json(folder.config.read_text(encoding="utf-8")).to_dict()
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
