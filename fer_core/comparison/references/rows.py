"""What the runs of the reference systems have come to, one `ReferenceRow` for each.

Every figure is read from a run folder; what is not finished says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fer_core.comparison.domains.scores import answers_of_confusion, figures
from fer_core.paths import RunFolder
from fer_core.runs import references
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import (
    RunError,
    checked_record,
    list_runs,
    read_data_facts,
    read_epochs,
    read_json,
    read_progress,
)
from fer_core.runs.references import Reference
from fer_core.training.metrics import wilson_interval

#: What scores must hold.
_NEEDED = ("accuracy", "interval", "macro_f1")


@dataclass(frozen=True)
class ReferenceRow:
    """One reference and what its run folder says.

    value, interval: of the reference's metric on its part, fractions; None before the first epoch.
    test: accuracy and interval on a test part that chose nothing; None where there is none.
    settings: "whole" for the recipe's own, "part" for what fits a small machine, "changed", or
    "other data" for a run that was scored on another number of images than the report.
    drawn: whether the run was on drawn faces.
    """

    reference: Reference
    state: str
    reason: str = ""
    value: float | None = None
    interval: tuple[float, float] | None = None
    test: tuple[float, tuple[float, float]] | None = None
    counts: tuple[int, int, int] = (0, 0, 0)
    epochs: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    device: str = ""
    commit: str = ""
    settings: str = "whole"
    drawn: bool = False

    @property
    def verdict(self) -> str:
        """Where the published figure lies, seen from our interval; "" where it says nothing."""
        if self.interval is None or self.settings == "other data":
            return ""
        low, high = self.interval
        if self.reference.published > high:
            return "below"
        return "above" if self.reference.published < low else "level"


def read_row(reference: Reference, folder: RunFolder) -> ReferenceRow:
    """What the run of a reference has come to."""
    if not folder.config.is_file():
        return ReferenceRow(reference, "not run")
    progress, epochs = read_progress(folder), read_epochs(folder)
    try:
        needed = (f"{part}.{name}" for part in ("validation", "test") for name in _NEEDED)
        record = checked_record(folder, *needed)
        config = RunConfig.from_run(folder)
    except (ConfigError, RunError) as error:
        return ReferenceRow(reference, "failed", str(error))
    counts = read_data_facts(folder).get("counts") or {}
    sizes = tuple(
        sum((counts.get(part) or {}).values()) for part in ("train", "validation", "test")
    )
    facts: dict[str, Any] = {
        "counts": sizes,
        "epochs": (len(epochs), config.epochs),
        "seconds": sum(epoch.get("seconds", 0.0) for epoch in epochs),
        "device": progress.device_words,
        "settings": _settings(reference, config, sizes),
        "drawn": _is_drawn(config),
    }
    if record is None:
        if epochs and reference.part == "validation" and reference.metric == "accuracy":
            best = max(epoch.get("validation_accuracy", 0.0) for epoch in epochs)
            facts["value"] = best
            facts["interval"] = wilson_interval(round(best * sizes[1]), sizes[1])
        return ReferenceRow(reference, progress.state, progress.reason, **facts)
    facts |= {name: record[name] for name in ("seconds", "device", "commit") if record.get(name)}
    scores = record.get(reference.part)
    if not scores:  # a run may have no test part
        return ReferenceRow(reference, "finished", f"without a {reference.part} part", **facts)
    if reference.metric == "accuracy":
        facts["value"], facts["interval"] = scores["accuracy"], tuple(scores["interval"])
    elif not scores.get("confusion"):
        reason = f"its record has no {reference.part}.confusion, which macro F1 needs"
        return ReferenceRow(reference, "failed", reason, **facts)
    else:
        found = figures(answers_of_confusion(scores["confusion"]))
        facts["value"], facts["interval"] = scores["macro_f1"], tuple(found["macro_f1_interval"])
    if record.get("test"):
        facts["test"] = (record["test"]["accuracy"], tuple(record["test"]["interval"]))
    return ReferenceRow(reference, "finished", **facts)


def _settings(reference: Reference, config: RunConfig, sizes: tuple[int, ...]) -> str:
    """How the run's data and settings stand to the recipe's.

    sizes: images of the training, validation and test part, zeros where not known.
    """
    scored = sizes[("train", "validation", "test").index(reference.part)]
    if any(sizes) and reference.scored and scored != reference.scored:
        return "other data"
    for name, whole in (("whole", True), ("part", False)):
        if _work(config) == _work(reference.config(config.data, whole)):
            return name
    return "changed"


def _work(config: RunConfig) -> RunConfig:
    """What is trained, whatever set it is read from and wherever and however it is computed."""
    options = {name: value for name, value in config.model_options.items() if name != "gram"}
    return replace(config, data="any", device="auto", precision="auto", model_options=options)


def _is_drawn(config: RunConfig) -> bool:
    return config.data.partition(":")[0] == "drawn"


def rows_of_runs(runs_folder: Path) -> dict[str, ReferenceRow]:
    """Reference → its best-suited run among all runs of the folder and of its reference/ folder.

    A finished run goes before an unfinished one, the recipe's own settings before changed ones, and
    the report's data before all else.
    """
    found: dict[str, ReferenceRow] = {}
    for run in [*list_runs(runs_folder), *list_runs(Path(runs_folder) / "reference")]:
        for row in _rows_of(run):
            name = row.reference.name
            if name not in found or _suits(row) > _suits(found[name]):
                found[name] = row
    return found


def _rows_of(run: RunFolder) -> list[ReferenceRow]:
    """A run's rows: of several references to one recipe, those whose settings it has; a run that
    has the settings of none stands at the first."""
    recipe = (read_json(run.config) or {}).get("recipe")
    wanted = [item for item in references.REFERENCES.values() if item.recipe == recipe]
    rows = [read_row(reference, run) for reference in wanted]
    return [row for row in rows if row.settings in ("whole", "part")] or rows[:1]


def _suits(row: ReferenceRow) -> tuple[bool, bool, int]:
    fitting = ("other data", "changed", "part", "whole").index(row.settings)
    return row.settings != "other data", row.state == "finished", fitting
