"""The plans of sweeps as JSON files beside the runs: one file each, written once.

Everything else about a sweep is read from the folders of its runs.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from fer_core.paths import sweeps_folder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import checked_name, read_json, write_json
from fer_core.training.sweep import Cell, Sweep, SweepError


def save_sweep(sweep: Sweep, runs_folder: Path) -> None:
    """Write the plan; it is never changed afterwards."""
    path = plan_file(runs_folder, sweep.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "name": sweep.name,
        "kind": sweep.kind,
        "made_at": sweep.made_at or time.time(),
        "base": sweep.base.to_dict(),
        "fields": list(sweep.fields),
        "methods": list(sweep.methods),
        "seeds": list(sweep.seeds),
        "cells": [
            {"name": cell.name, "values": list(cell.values), "runs": sweep.run_names(cell)}
            for cell in sweep.cells
        ],
    }
    write_json(path, values)


def list_sweeps(runs_folder: Path) -> list[str]:
    """The names of the sweeps there are, newest first."""
    plans = [path for path in sweeps_folder(runs_folder).glob("*.json") if path.is_file()]
    plans.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
    return [path.stem for path in plans if not path.name.startswith(".")]


def read_sweep(runs_folder: Path, name: object) -> Sweep:
    """The plan of that name; SweepError when there is none or it cannot be read."""
    if name not in list_sweeps(runs_folder):  # so that no path can be smuggled in
        raise SweepError(f"there is no sweep named {str(name)[:60]!r} in {runs_folder}")
    path = plan_file(runs_folder, str(name))
    values = read_json(path)
    try:
        if values is None:
            raise ValueError("it is no JSON object")
        return _from_dict(values)
    except (KeyError, TypeError, ValueError) as error:
        raise SweepError(
            f"the plan {path} cannot be read ({error}); delete that file, its runs stay"
        ) from error


def _from_dict(values: dict[str, Any]) -> Sweep:
    sweep = Sweep(
        name=values["name"],
        base=RunConfig.from_dict(values["base"]),
        fields=tuple(values["fields"]),
        cells=tuple(Cell(cell["name"], tuple(cell["values"])) for cell in values["cells"]),
        seeds=tuple(values["seeds"]),
        methods=tuple(values.get("methods", ())),
        made_at=values.get("made_at", 0.0),
    )
    _check_fit(sweep)
    return sweep


def _check_fit(sweep: Sweep) -> None:
    """ValueError for a plan by whose parts no run could be found, or no table made."""
    if not sweep.cells or not sweep.seeds:
        raise ValueError("it must have cells and seeds")
    values = [value for cell in sweep.cells for value in cell.values if value is not None]
    texts = (sweep.name, *sweep.fields, *sweep.methods, *values)
    if odd := [text for text in texts if not isinstance(text, str)]:
        raise ValueError(f"its names and values must be texts, got {odd[0]!r}")
    if odd := [seed for seed in sweep.seeds if not isinstance(seed, int)]:
        raise ValueError(f"its seeds must be whole numbers, got {odd[0]!r}")
    for several in (sweep.methods or sweep.fields, *(cell.values for cell in sweep.cells)):
        if len(several) != len(sweep.fields):
            raise ValueError(
                f"it has {len(sweep.fields)} fields, so each cell needs as many values and there "
                f"are as many methods or none, got {len(several)}"
            )
    for name, _, _ in sweep.runs():
        checked_name(name)


def plan_file(runs_folder: Path, name: str) -> Path:
    """Where the plan of that name lies, or would."""
    return sweeps_folder(runs_folder) / f"{checked_name(name)}.json"
