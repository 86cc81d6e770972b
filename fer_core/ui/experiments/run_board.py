"""The leaderboard as the page shows it: readable columns, the lists of names, the CSV."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.sweeps.words import source_title
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder, downloads_folder
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import RunError, list_runs, read_epochs, write_text
from fer_core.ui.experiments.run_views import SHIPPED, find_entry, interval_text, run_states

ACCURACY = "Test %"
INTERVAL = "95 % interval"
#: Column of the leaderboard's frame → (name on the page, factor, decimals).
_NUMBERS: dict[str, tuple[str, float, int]] = {
    "test_accuracy": (ACCURACY, 100, 1),
    "twin_free_accuracy": ("Twin-free %", 100, 1),
    "macro_f1": ("Macro F1", 1, 3),
    "parameters": ("Parameters", 1, 0),
    "gflops": ("GFLOPs", 1, 4),
    "accuracy_per_gflop": ("% / GFLOP", 1, 0),
    "epochs": ("Epochs", 1, 0),
    "seconds": ("Minutes", 1 / 60, 1),
}
COLUMNS = (
    "Name",
    ACCURACY,  # beside the name, so that a phone shows it, too
    INTERVAL,
    "Data",
    "Twin-free %",
    "Macro F1",
    "Parameters",
    "GFLOPs",
    "% / GFLOP",
    "State",
    "Minutes",
    "Epochs",
    "Recipe",
    "Device",
)
#: Behind the interval of a run whose start or teachers had learned from some of its test images.
FLATTERED = " *"
_DECIMALS = {words: digits for words, _, digits in _NUMBERS.values()}
DATATYPES = tuple("number" if name in _DECIMALS else "str" for name in COLUMNS)


@dataclass(frozen=True)
class Board:
    """table: the leaderboard with `COLUMNS`, best first. names: its rows' names in that order.

    with_curves: names of those that have finished an epoch.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    with_curves: tuple[str, ...]


def read_board(runs_folder: Path) -> Board:
    """Everything there is to compare, read from the run folders."""
    frame = leaderboard(runs_folder, SHIPPED_CHECKPOINTS)
    table = leaderboard_table(frame)
    folders = dict(zip(_entry_names(frame), frame["folder"], strict=True))
    names = tuple(table["Name"])
    curved = tuple(name for name in names if read_epochs(RunFolder(folders[name])))
    return Board(table, names, curved)


def board_rows(runs_folder: Path) -> dict[str, tuple[str, bool]]:
    """Name → (state, has it finished an epoch): changes when the board must be read again."""
    rows = {
        f"{SHIPPED}{folder.name}": ("shipped", folder.epochs.is_file())
        for folder in list_runs(SHIPPED_CHECKPOINTS)
        if folder.weights.is_file()
    }
    curved = {run.name: run.epochs.is_file() for run in list_runs(runs_folder)}
    for run in run_states(runs_folder):
        rows[run.name] = (run.state, curved.get(run.name, False))
    return rows


def curves_of(runs_folder: Path, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Name → its epochs; a name that is no run, or none any more, is left out."""
    found = {}
    for name in names:
        with suppress(RunError):
            found[name] = read_epochs(find_entry(runs_folder, name))
    return found


def leaderboard_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard with readable columns, best test accuracy first, unknown figures last.

    Figures stay numbers so that a click on a column sorts them; accuracies are in percent.
    """
    table = pd.DataFrame({"Name": pd.Series(_entry_names(frame), dtype=object)})
    for name, (words, factor, decimals) in _NUMBERS.items():
        values = pd.to_numeric(frame[name], errors="coerce").astype(float)
        table[words] = (values * factor).round(decimals).to_numpy()
    ends = zip(frame["test_low"], frame["test_high"], frame["flattered"], strict=True)
    table[INTERVAL] = [
        interval_text(pair) + (FLATTERED if flattered else "") if pd.notna(pair[0]) else ""
        for *pair, flattered in ends
    ]
    table["Data"] = [source_title(str(name)) for name in frame["data"].fillna("")]
    for name in ("recipe", "state", "device"):
        table[name.capitalize()] = frame[name].fillna("").astype(str).to_numpy()
    table = table.sort_values(ACCURACY, ascending=False, kind="stable", na_position="last")
    return table.reset_index(drop=True)[list(COLUMNS)]


def _entry_names(frame: pd.DataFrame) -> list[str]:
    kinds = zip(frame["kind"], frame["name"], strict=True)
    return [f"{SHIPPED}{name}" if kind == "shipped" else str(name) for kind, name in kinds]


def displayed(table: pd.DataFrame) -> dict[str, Any]:
    """The table as `gr.Dataframe` takes it: numbers to sort by, texts to read ("–" for unknown)."""
    rows = table.to_numpy(dtype=object).tolist()
    data = [[None if _unknown(value) else value for value in row] for row in rows]
    texts = [
        [_cell(value, _DECIMALS.get(name)) for name, value in zip(COLUMNS, row, strict=True)]
        for row in rows
    ]
    return {"headers": list(COLUMNS), "data": data, "metadata": {"display_value": texts}}


def _unknown(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _cell(value: Any, decimals: int | None) -> str:
    if _unknown(value) or value == "":
        return "–"
    return str(value) if decimals is None else f"{value:,.{decimals}f}"


def write_leaderboard(table: pd.DataFrame) -> Path:
    """The table as a CSV file to download; the file of this process is replaced each time."""
    path = downloads_folder() / "leaderboard.csv"
    counts = {name: "Int64" for name, decimals in _DECIMALS.items() if not decimals}
    write_text(path, table.astype(counts).to_csv(index=False))
    return path
