"""What a run cost: epochs, updates, seconds of training, images seen; and its curves along each.

Read from the run folder; runs of before these were written down are counted from their config.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.comparison.pairs import data_facts
from fer_core.data.batches import steps_per_epoch
from fer_core.paths import RunFolder
from fer_core.runs.record import read_epochs, read_json, read_record

AXES = ("epochs", "updates", "seconds")


@dataclass(frozen=True)
class Spending:
    """seconds: of training, validation not counted where the run tells them apart. device: where.

    What is not known is None.
    """

    name: str
    epochs: int
    updates: int | None
    seconds: float | None
    images: int | None
    device: str

    def along(self, axis: str) -> float | None:
        """The amount along one of `AXES`."""
        return {"epochs": self.epochs, "updates": self.updates, "seconds": self.seconds}[axis]


def read_spending(folder: RunFolder, name: str = "") -> Spending:
    """How much the run in `folder` has spent so far. name: what to call it, its own by default."""
    record, epochs = read_record(folder) or {}, read_epochs(folder)
    last = epochs[-1] if epochs else {}
    per_epoch, images = _epoch_size(folder)
    count = len(epochs) or int(record.get("epochs_run") or 0)
    counted_seconds = sum(epoch.get("seconds", 0.0) for epoch in epochs) or None
    return Spending(
        name=name or folder.name,
        epochs=count,
        updates=last.get("updates", per_epoch * count if per_epoch else None),
        seconds=last.get("train_seconds") or record.get("seconds") or counted_seconds,
        images=last.get("images_seen") or (images * count if images else None),
        device=str(record.get("device") or ""),
    )


def positions(folder: RunFolder, epochs: Sequence[Mapping[str, Any]], axis: str) -> list[float]:
    """Where on the axis each epoch ended; [] when the run cannot tell."""
    if axis == "epochs":
        return [float(epoch["epoch"]) for epoch in epochs]
    if axis == "updates":
        if all("updates" in epoch for epoch in epochs):
            return [float(epoch["updates"]) for epoch in epochs]
        per_epoch, _ = _epoch_size(folder)
        return [float(per_epoch * epoch["epoch"]) for epoch in epochs] if per_epoch else []
    if all(epoch.get("train_seconds") for epoch in epochs):
        return [float(epoch["train_seconds"]) for epoch in epochs]
    spent, ends = 0.0, []
    for epoch in epochs:
        spent += float(epoch.get("seconds", 0.0))
        ends.append(spent)
    return ends


def _epoch_size(folder: RunFolder) -> tuple[int, int]:
    """(updates, images) of one epoch by config and counts; zeros when they are not known."""
    config, counts = read_json(folder.config) or {}, data_facts(folder.path).get("counts") or {}
    images = sum((counts.get("train") or {}).values())
    batch = config.get("batch_size")
    if not images or not isinstance(batch, int) or batch < 1:
        return 0, images
    return steps_per_epoch(images, batch), images
