"""Everything that can classify, in the order in which the page offers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.record import list_runs, read_record

#: GFLOPs up to which a network is light.
_LIGHT = 0.1


@dataclass(frozen=True)
class CheckpointEntry:
    """One choice in a list of checkpoints; title is for people, name for look-ups."""

    name: str
    folder: Path
    title: str


def _rank(place: RunFolder) -> tuple[bool, bool, float]:
    record = read_record(place)
    heavy = (_figure(record, "model", "gflops") or 0) > _LIGHT
    return heavy, not _for_photographs(place), -(_figure(record, "validation", "accuracy") or 0)


def _for_photographs(place: RunFolder) -> bool:
    """Whether it learned from faces as the detector finds them (`RunConfig.views`)."""
    try:
        return bool(json.loads(place.config.read_text(encoding="utf-8")).get("views"))
    except (OSError, ValueError, AttributeError):
        return False


def list_checkpoints(
    runs_folder: Path, shipped: Path = SHIPPED_CHECKPOINTS
) -> list[CheckpointEntry]:
    """Everything that can classify: shipped checkpoints, then runs, newest first.

    Of the shipped ones those that a processor answers with at a camera's pace come first, among
    them what learned from faces found in photographs, then the most accurate on its validation part
    before the others: the first is what the page begins with.
    """
    entries = []
    folders = [RunFolder(path) for path in sorted(shipped.iterdir())] if shipped.is_dir() else []
    folders.sort(key=_rank)
    for place in [*folders, *list_runs(runs_folder)]:
        if not place.weights.is_file():
            continue
        own = place.path.parent == shipped
        kinds = ["shipped"] if own else []
        kinds += ["for photographs"] if _for_photographs(place) else []
        title = f"{place.name} ({', '.join(kinds)})" if kinds else place.name
        record = read_record(place)
        accuracy = _figure(record, "test", "accuracy")
        if accuracy is not None:
            title += f", {accuracy:.1%} on {_test_part(record)}"
        if _figure(record, "model", "memory", "faces"):
            title += " with its memory"
        entries.append(
            CheckpointEntry(place.name if own else f"run:{place.name}", place.path, title)
        )
    return entries


def _test_part(record: dict[str, Any] | None) -> str:
    """What the accuracy is of: figures of different sets do not compare, so the set is named."""
    try:
        name = (record or {})["data"]["name"]
    except (KeyError, TypeError):
        name = ""
    return f"the test split of {name}" if name else "its test split"


def _figure(record: dict[str, Any] | None, *names: str) -> float | None:
    """The number under these names, one inside the other; None where a record has none."""
    found: Any = record
    try:
        for name in names:
            found = found[name]
        return float(found)
    except (KeyError, TypeError, ValueError):
        return None
