"""All runs and shipped checkpoints as one table, made anew from their folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.record import (
    examined_record,
    list_runs,
    read_data_facts,
    read_epochs,
    read_json,
    read_progress,
    record_fault,
)

COLUMNS = (
    "name",
    "kind",
    "recipe",
    "state",
    "test_accuracy",
    "test_low",
    "test_high",
    "twin_free_accuracy",
    "validation_accuracy",
    "macro_f1",
    "parameters",
    "gflops",
    "accuracy_per_gflop",
    "seconds",
    "device",
    "epochs",
    "data",
    "flattered",
    "folder",
)


def leaderboard(runs_folder: Path, shipped: Path = SHIPPED_CHECKPOINTS) -> pd.DataFrame:
    """One row per run and per shipped checkpoint, best test accuracy first, unscored ones last.

    Columns: name; kind "run" or "shipped"; recipe; state; test_accuracy with test_low and
    test_high, its 95 % interval; twin_free_accuracy; validation_accuracy (all fractions);
    macro_f1; parameters; gflops of one forward pass; accuracy_per_gflop in percent; seconds of
    training; device; epochs run; data; flattered, whether what it started from or was taught by had
    learned from some of its test images; folder. What is not known is NaN or an empty text. A run
    with a damaged record says so as its state and has no scores, see `damaged_records`.
    """
    rows = [_row(RunFolder(path), "shipped") for path in _folders(shipped)]
    rows += [_row(run, "run") for run in list_runs(Path(runs_folder))]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("test_accuracy", ascending=False, na_position="last", kind="stable")


def damaged_records(runs_folder: Path, shipped: Path = SHIPPED_CHECKPOINTS) -> list[str]:
    """What is wrong with the records that cannot be read, a sentence for each."""
    places = [*map(RunFolder, _folders(shipped)), *list_runs(Path(runs_folder))]
    return [fault for fault in map(record_fault, places) if fault]


def _folders(shipped: Path) -> list[Path]:
    if not shipped.is_dir():
        return []
    return sorted(path for path in shipped.iterdir() if (path / "weights.safetensors").is_file())


def _row(folder: RunFolder, kind: str) -> dict[str, Any]:
    record, fault = examined_record(folder)
    record = record or {}
    config = read_json(folder.config) or {}
    epochs = read_epochs(folder)
    progress = read_progress(folder)
    data = record.get("data") or read_data_facts(folder)
    test, model = record.get("test") or {}, record.get("model") or {}
    accuracy, gflops = test.get("accuracy"), model.get("gflops")
    low, high = test.get("interval") or (None, None)
    best = max((epoch.get("validation_accuracy", 0.0) for epoch in epochs), default=None)
    validation = (record.get("validation") or {}).get("accuracy", best)
    seconds = record.get("seconds") or sum(epoch.get("seconds", 0.0) for epoch in epochs) or None
    numbers = {
        "test_accuracy": accuracy,
        "test_low": low,
        "test_high": high,
        "twin_free_accuracy": (record.get("test_without_twins") or {}).get("accuracy"),
        "validation_accuracy": validation,
        "macro_f1": test.get("macro_f1"),
        "parameters": model.get("parameters"),
        "gflops": gflops,
        "accuracy_per_gflop": 100 * accuracy / gflops if accuracy and gflops else None,
        "seconds": seconds,
        "epochs": record.get("epochs_run") or len(epochs),
    }
    state = "finished" if kind == "shipped" else progress.state
    return {
        "name": folder.name,
        "kind": kind,
        "recipe": config.get("recipe") or record.get("recipe") or "",
        "state": "damaged record" if fault else state,
        **{
            name: float("nan") if value is None else float(value) for name, value in numbers.items()
        },
        "device": record.get("device") or progress.device_words,
        "data": data.get("name") or config.get("data") or "",
        "flattered": bool((data.get("inherited") or {}).get("test")),
        "folder": str(folder.path),
    }
