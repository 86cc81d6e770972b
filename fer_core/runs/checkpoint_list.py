"""Everything that can classify, in the order in which the page offers it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.record import list_runs, read_json

#: GFLOPs up to which a network is light.
_LIGHT = 0.1


@dataclass(frozen=True)
class CheckpointEntry:
    """One choice in a list of checkpoints; title is for people, name for look-ups."""

    name: str
    folder: Path
    title: str


class _Found:
    """A folder with weights and what its files say, each read once: the list is made often."""

    def __init__(self, place: RunFolder) -> None:
        self.place, self.record = place, read_json(place.record)
        #: Whether it learned from faces as the detector finds them (`RunConfig.views`).
        self.for_photographs = bool((read_json(place.config) or {}).get("views"))

    @property
    def rank(self) -> tuple[bool, bool, float]:
        heavy = (_figure(self.record, "model", "gflops") or 0) > _LIGHT
        accuracy = _figure(self.record, "validation", "accuracy") or 0
        return heavy, not self.for_photographs, -accuracy

    def entry(self, shipped: bool) -> CheckpointEntry:
        name, record = self.place.name, self.record
        kinds = ["shipped"] if shipped else []
        kinds += ["for photographs"] if self.for_photographs else []
        title = f"{name} ({', '.join(kinds)})" if kinds else name
        accuracy = _figure(record, "test", "accuracy")
        if accuracy is not None:
            title += f", {100 * accuracy:.1f} % on {_set(record)}"
        if _figure(record, "model", "memory", "faces"):
            title += ", with a memory"
        return CheckpointEntry(name if shipped else f"run:{name}", self.place.path, title)


def list_checkpoints(
    runs_folder: Path, shipped: Path = SHIPPED_CHECKPOINTS
) -> list[CheckpointEntry]:
    """Everything that can classify: shipped checkpoints, then runs, newest first.

    Shipped ones that keep a camera's pace on a processor come first; among equals those that
    learned from faces found in photographs, then those with the higher validation accuracy. The
    page begins with the first.
    """
    folders = [RunFolder(path) for path in sorted(shipped.iterdir())] if shipped.is_dir() else []
    found = [_Found(place) for place in folders if place.weights.is_file()]
    runs = [_Found(place) for place in list_runs(runs_folder) if place.weights.is_file()]
    found.sort(key=lambda one: one.rank)
    return [one.entry(shipped=True) for one in found] + [one.entry(shipped=False) for one in runs]


def _set(record: dict[str, Any] | None) -> str:
    """What the accuracy is of: figures of different sets do not compare, so the set is named."""
    try:
        name = (record or {})["data"]["name"]
    except (KeyError, TypeError):
        name = ""
    return name or "its own set"


def _figure(record: dict[str, Any] | None, *names: str) -> float | None:
    """The number under these names, one inside the other; None where a record has none."""
    found: Any = record
    try:
        for name in names:
            found = found[name]
        return float(found)
    except (KeyError, TypeError, ValueError):
        return None
