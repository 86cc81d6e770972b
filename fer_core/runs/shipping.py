"""From a finished run to a shipped checkpoint: the few files that it needs, free of local paths."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder, is_path
from fer_core.runs.card import CARD_FIELDS, write_card
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import repeat_command
from fer_core.runs.record import RunError, checked_name, checked_record, write_json, write_text


def ship_run(
    run: RunFolder,
    name: str,
    note: str = "",
    shipped: Path = SHIPPED_CHECKPOINTS,
    replace: bool = False,
) -> RunFolder:
    """Copy a finished run's weights, config, curves and record into `shipped`/`name`.

    The path of the data becomes data/FILE, since where it lay is nobody's business. note: Markdown
    that the card carries after its own text (origin and rights of the data). replace: also where a
    checkpoint of that name is there already. RunError when it must not, or the run is not finished.
    """
    record = checked_record(run, *CARD_FIELDS)
    if record is None or not run.weights.is_file():
        raise RunError(f"{run.path} is not finished: it has no record or no weights")
    config = RunConfig.from_run(run)
    place = RunFolder(shipped / checked_name(name))
    if place.path.resolve() == run.path.resolve():
        raise RunError(f"{name} is that very checkpoint; name a run, or another name to copy it to")
    if place.weights.is_file() and not replace:
        raise RunError(
            f"there is a checkpoint {name} already; choose another name, or give --replace to have "
            "this run in its place"
        )
    place.path.mkdir(parents=True, exist_ok=True)
    config = without_path(config)
    record = _portable(record, name, config)
    shutil.copyfile(run.weights, place.weights)
    shutil.copyfile(run.epochs, place.epochs)
    write_text(place.config, config.to_json())
    write_json(place.record, record)
    write_card(place, config, record, note)
    return place


def without_path(config: RunConfig) -> RunConfig:
    """The same settings with data/FILE in place of the path of the data, if it is a path.

    Of the checkpoints that the run started from or learned from, only their names and those of the
    folders they lie in.
    """
    start = portable_checkpoint(config.start_from) if config.start_from else ""
    teachers = tuple(map(portable_checkpoint, config.teachers))
    views = _portable_file(config.views) if config.views else ""
    config = dataclasses.replace(config, start_from=start, teachers=teachers, views=views)
    return dataclasses.replace(config, data=portable_source(config.data))


def portable_source(data: str) -> str:
    """data/FILE in place of a path; "drawn", "drawn:…" and "hub:…" as they are."""
    return _portable_file(data) if is_path(data) else data


def portable_setting(field: str, value: str) -> str:
    """A setting as text, of checkpoints only their names and those of the folders they lie in."""
    if field == "views" and value:
        return _portable_file(value)
    if field not in ("start_from", "teachers") or not value:
        return value
    return ",".join(portable_checkpoint(part.strip()) for part in value.split(","))


def _portable_file(path: str) -> str:
    return f"data/{Path(path).name}"


def portable_checkpoint(folder: str | Path) -> str:
    """A checkpoint's folder as checkpoints/NAME or runs/NAME, without what lies above."""
    path = Path(folder)
    return f"{path.parent.name}/{path.name}"


def _portable(record: dict[str, Any], name: str, config: RunConfig) -> dict[str, Any]:
    values = json.loads(json.dumps(record))
    values["data"]["source"] = config.data
    return {**values, "name": name, "command": repeat_command(config)}
