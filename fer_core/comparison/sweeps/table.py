"""What came out of each cell of a sweep, read from the records of its runs.

The best cell is chosen by validation accuracy; the test figures are those of that choice.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fer_core.comparison.pairs import PairError, read_pair
from fer_core.comparison.significance import holm, mcnemar
from fer_core.paths import RunFolder
from fer_core.runs.record import RunError, checked_record
from fer_core.training.sweep import Cell, Sweep
from fer_core.training.sweep_queue import sweep_folders

#: Order of the rows → what decides it; "plan" keeps the grid's own order.
ORDERS = ("validation", "test", "macro_f1", "seconds", "plan")

#: What a record must hold to count in its cell.
_NEEDED = ("best_epoch", "validation.accuracy", "test.accuracy", "test.interval", "test.macro_f1")


@dataclass(frozen=True)
class Figure:
    """A figure over the seeds of a cell: their mean and their standard deviation (n - 1), which is
    None for a single one."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class CellResult:
    """One row. Accuracies are fractions; every figure is None until a run of the cell is scored.

    place: of the cell in the plan. scored of runs. interval: 95 % of the test accuracy, where one
    run is all there is.
    best_epochs: one per scored run, chosen on validation. p_value: McNemar's test of the test
    predictions against the reference cell's, where both have a single run; adjusted after Holm for
    the number of cells that were compared. faults: why runs were left out, a sentence each.
    """

    cell: Cell
    place: int
    runs: int
    scored: int
    validation: Figure | None
    accuracy: Figure | None
    interval: tuple[float, float] | None
    macro_f1: Figure | None
    best_epochs: tuple[int, ...]
    parameters: int | None
    seconds: float | None
    p_value: float | None = None
    faults: tuple[str, ...] = ()


def cell_results(sweep: Sweep, runs_folder: Path, order: str = "validation") -> list[CellResult]:
    """One result per cell, sorted; the significance is against `reference_cell`."""
    folders = sweep_folders(sweep, runs_folder)
    results = [_cell_result(sweep, cell, place, folders) for place, cell in enumerate(sweep.cells)]
    reference = reference_cell(sweep, results)
    if len(sweep.seeds) == 1 and reference is not None:
        results = _with_significance(sweep, results, reference, folders)
    return sorted_results(results, order)


def sorted_results(results: list[CellResult], order: str) -> list[CellResult]:
    """Best first, the fewest seconds first, cells without a figure last."""
    if order not in ORDERS:
        raise ValueError(f"the order must be one of {', '.join(ORDERS)}, got {order!r}")
    keys: dict[str, Callable[[CellResult], float | None]] = {
        "validation": lambda row: row.validation and -row.validation.mean,
        "test": lambda row: row.accuracy and -row.accuracy.mean,
        "macro_f1": lambda row: row.macro_f1 and -row.macro_f1.mean,
        "seconds": lambda row: row.seconds,
        "plan": lambda row: 0.0,
    }

    def key(row: CellResult) -> tuple[bool, float]:
        value = keys[order](row)
        return value is None, value or 0.0

    return sorted(results, key=key)


def best_cell(results: Sequence[CellResult]) -> Cell | None:
    """The cell with the highest validation accuracy, of equal ones the first in the plan; None
    while fewer than two are scored, for there is nothing to be better than."""
    known = [(row.validation.mean, -row.place, row.cell) for row in results if row.validation]
    return max(known, key=lambda entry: entry[:2])[2] if len(known) > 1 else None


def reference_cell(sweep: Sweep, results: Sequence[CellResult]) -> Cell | None:
    """What the others are compared with: an ablation's first cell, else the best one."""
    return sweep.cells[0] if sweep.methods else best_cell(results)


def _cell_result(sweep: Sweep, cell: Cell, place: int, folders: dict[str, RunFolder]) -> CellResult:
    names = [name for name in sweep.run_names(cell) if name in folders]
    records, faults = [], []
    for name in names:
        try:
            record = checked_record(folders[name], *_NEEDED)
        except RunError as error:  # one damaged run hides no other
            faults.append(str(error))
        else:
            records += [record] if record is not None and record.get("validation") else []
    tests = [record["test"] for record in records if record.get("test")]
    parameters = {(record.get("model") or {}).get("parameters") for record in records} - {None}
    seconds = [record["seconds"] for record in records if record.get("seconds") is not None]
    single = len(tests) == len(sweep.seeds) == 1
    return CellResult(
        cell=cell,
        place=place,
        runs=len(sweep.seeds),
        scored=len(records),
        validation=_figure([record["validation"]["accuracy"] for record in records]),
        accuracy=_figure([test["accuracy"] for test in tests]),
        interval=tuple(tests[0]["interval"]) if single else None,
        macro_f1=_figure([test["macro_f1"] for test in tests]),
        best_epochs=tuple(record["best_epoch"] for record in records),
        parameters=max(parameters) if parameters else None,
        seconds=statistics.fmean(seconds) if seconds else None,
        faults=tuple(faults),
    )


def _figure(values: Sequence[float]) -> Figure | None:
    if not values:
        return None
    return Figure(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def _with_significance(
    sweep: Sweep, results: list[CellResult], reference: Cell, folders: dict[str, RunFolder]
) -> list[CellResult]:
    """The results with p-values for every cell whose test images match the reference's."""
    base = folders.get(sweep.run_name(reference, sweep.seeds[0]))
    p_values: dict[str, float] = {}
    for row in results:
        folder = folders.get(sweep.run_name(row.cell, sweep.seeds[0]))
        if base is None or folder is None or row.cell is reference or row.accuracy is None:
            continue
        found = _p_value(base.path, _written(base), folder.path, _written(folder))
        if found is not None:
            p_values[row.cell.name] = found
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [replace(row, p_value=adjusted.get(row.cell.name)) for row in results]


def _written(folder: RunFolder) -> int:
    """When the predictions were written, nanoseconds; 0 when there are none."""
    try:
        return folder.predictions.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=1024)
def _p_value(base: Path, base_written: int, other: Path, other_written: int) -> float | None:
    """McNemar's p-value of two runs; None when their images cannot be paired.

    The times stand among the arguments so that a run made anew is read anew.
    """
    try:
        pair = read_pair(base, other)
    except PairError:
        return None
    return mcnemar(pair.correct_a, pair.correct_b).p_value
