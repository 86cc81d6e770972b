"""Every file location of the project: the cache, the shipped checkpoints, a run folder's files;
and how a file is replaced as a whole.

Nothing else in the project joins a path to a file name that another module must find again.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED_CHECKPOINTS = REPOSITORY / "checkpoints"
#: Written by `python -m fer_core reproduce`, as Markdown and, beside it, as CSV.
REFERENCE_RESULTS = REPOSITORY / "results" / "reference.md"
DEFAULT_DATA = Path("data")
DEFAULT_RUNS = Path("runs")


def usual_runs() -> Path:
    """The folder of runs where nobody names one, of page and commands: $FER_RUNS, else runs/."""
    return Path(os.environ.get("FER_RUNS") or DEFAULT_RUNS)


def usual_data() -> Path:
    """The folder of data sets, of page and commands likewise: $FER_DATA, else data/."""
    return Path(os.environ.get("FER_DATA") or DEFAULT_DATA)


def cache_folder() -> Path:
    """Where decoded data is kept: $FER_CACHE, else the user's cache, else the temporary folder."""
    wanted = os.environ.get("FER_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (
        Path(wanted) if wanted else home / "fer_core",
        Path(tempfile.gettempdir()) / "fer_core",
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise OSError("no writable folder for the data cache; set FER_CACHE to one")


def downloads_folder() -> Path:
    """Where this process writes what its pages offer to download, made where it is not there."""
    folder = Path(tempfile.gettempdir()) / f"fer_core_{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block ends without an error.

    So whoever reads sees the old content or the new, never a half, however many write at once.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        yield scratch
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def kept_answers(digest: str) -> Path:
    """Where the answers of weights with this digest are kept, which come without any."""
    return cache_folder() / "answers" / f"{digest}.parquet"


def is_path(data: str) -> bool:
    """Whether what names a data set is a path, neither a built-in set nor one of the Hub."""
    return data.partition(":")[0] not in ("drawn", "hub")


def python_path() -> str:
    """Where a process of its own finds fer_core, whatever folder the app was started from."""
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(REPOSITORY), *([inherited] if inherited else [])])


def checkpoint_folder(named: str | Path) -> Path:
    """The folder that a setting or a command names: checkpoints/NAME is a shipped one from
    everywhere, unless such a folder lies here too."""
    path = Path(named)
    shipped = REPOSITORY / path
    direct = path.parent == Path(SHIPPED_CHECKPOINTS.name) and path.name != ".."
    # os.path says no where pathlib raises, as for a name that is too long
    return shipped if direct and not os.path.exists(path) and os.path.isdir(shipped) else path


def sweeps_folder(runs_folder: Path) -> Path:
    """Where the plans of sweeps lie: one JSON file each, beside the runs that they made."""
    return Path(runs_folder) / ".sweeps"


def budgets_folder(runs_folder: Path) -> Path:
    """Where comparisons under one budget lie: one JSON file each, beside their runs."""
    return Path(runs_folder) / ".budgets"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run. A shipped checkpoint is such a folder with fewer of them."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        """RunConfig as JSON: enough to repeat the run."""
        return self.path / "config.json"

    @property
    def data(self) -> Path:
        """What the run saw: source, fingerprint, class names, counts per split."""
        return self.path / "data.json"

    @property
    def epochs(self) -> Path:
        """One flushed JSON line per finished epoch."""
        return self.path / "epochs.jsonl"

    @property
    def progress(self) -> Path:
        """State, step, images/s, time left, heartbeat; replaced atomically."""
        return self.path / "progress.json"

    @property
    def weights(self) -> Path:
        """Weights of the best epoch so far, with preprocessing and class order in the header."""
        return self.path / "weights.safetensors"

    @property
    def last(self) -> Path:
        """Everything needed to go on after the last finished epoch."""
        return self.path / "last.ckpt"

    @property
    def predictions(self) -> Path:
        """Every validation and test probability of the best epoch."""
        return self.path / "predictions.parquet"

    @property
    def record(self) -> Path:
        """The final scores and how they came about; written once, last."""
        return self.path / "record.json"

    @property
    def before_after(self) -> Path:
        """A fine-tuned run beside the checkpoint that it started from, once that was measured."""
        return self.path / "before_after.json"

    @property
    def card(self) -> Path:
        return self.path / "card.md"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def stop_request(self) -> Path:
        """Its presence asks the child process to stop after the current batch."""
        return self.path / "stop"
