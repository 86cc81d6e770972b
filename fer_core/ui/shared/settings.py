"""`AppSettings`: what the command line decides for the whole page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_core.paths import DEFAULT_DATA, DEFAULT_RUNS


@dataclass(frozen=True)
class AppSettings:
    """data_folder: where data sets of the owner lie; runs_folder: where runs are written.

    public: strangers visit the page. They may browse and predict; training, typed paths and
    deleting are closed, and every input is bounded more tightly.
    """

    data_folder: Path = DEFAULT_DATA
    runs_folder: Path = DEFAULT_RUNS
    public: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_folder", Path(self.data_folder))
        object.__setattr__(self, "runs_folder", Path(self.runs_folder))
