"""What the fields of a run's JSON files may hold, so that who reads them can rely on it.

A field is of its kind, null or missing; fields that are not named here may hold anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: Larger figures are none that a run can come to, and some could not be computed with.
_LARGEST = 10**18


@dataclass(frozen=True)
class _Table:
    """fields: name → its shape, null or missing unless it is needed."""

    fields: Mapping[str, Any]
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _TableOf:
    """A table of any names whose values are all of one shape."""

    value: Any


@dataclass(frozen=True)
class _ListOf:
    """A list whose parts are all of one shape; count: how many they must be, 0 for any number."""

    part: Any
    count: int = 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and 0 <= value < _LARGEST


def _is_figure(value: Any) -> bool:
    """NaN and infinity are what a run that went wrong may have to write down."""
    if not _is_number(value):
        return False
    return abs(value) <= _LARGEST or (isinstance(value, float) and not math.isfinite(value))


#: Kind of a single value → (whether a value is of it, in words).
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "a text"),
    "yes or no": (lambda value: isinstance(value, bool), "true or false"),
    "whole": (_is_whole, "a whole number from 0 on"),
    "number": (_is_figure, "a number"),
    "share": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
}

_ROW = _Table(
    {"class": "text", "precision": "share", "recall": "share", "f1": "share", "support": "whole"},
    needed=("class", "precision", "recall", "f1", "support"),
)
_FIGURES = {
    "accuracy": "share",
    "interval": _ListOf("number", 2),
    "macro_f1": "share",
    "weighted_f1": "share",
    "loss": "number",
    "calibration_error": "number",
    "n": "whole",
    "per_class": _ListOf(_ROW),
    "confusion": _ListOf(_ListOf("whole")),
}
_SCORES = _Table(_FIGURES)
#: The tables of scores in a record.
SCORED = (
    "validation",
    "test",
    "test_without_twins",
    "test_mirrored",
    "test_mirrored_without_twins",
)
_MEMORY = _Table(
    {
        **dict.fromkeys(("faces", "views", "codes", "numbers"), "whole"),
        **dict.fromkeys(("width", "least", "most", "alike"), "number"),
        "without": _TableOf(_SCORES),
    }
)
_MODEL = _Table(
    {
        "name": "text",
        "parameters": "whole",
        "trainable": "whole",
        "gflops": "number",
        "half_precision": "yes or no",
        "memory": _MEMORY,
    }
)
_DATA = _Table(
    {
        **dict.fromkeys(("source", "name", "fingerprint"), "text"),
        "class_names": _ListOf("text"),
        "counts": _TableOf(_TableOf("whole")),
        "test_drawn": "yes or no",
        "inherited": _TableOf("whole"),
        "views": _Table({"count": "whole", "fingerprint": "text"}),
    }
)
_RECORD = _Table(
    {
        **dict.fromkeys(("name", "recipe", "state", "machine", "commit", "command"), "text"),
        **dict.fromkeys(("device", "finished_at"), "text"),
        **dict.fromkeys(("best_epoch", "epochs_run", "updates", "images_seen"), "whole"),
        **dict.fromkeys(("seconds", "train_seconds"), "number"),
        "versions": _TableOf("text"),
        "data": _DATA,
        "model": _MODEL,
        "calibration": _Table(
            {"temperature": "number", "error_before": _TableOf("number")},
            needed=("temperature", "error_before"),
        ),
        **dict.fromkeys(SCORED, _SCORES),
    }
)
_EPOCH = _Table(
    {
        **dict.fromkeys(("epoch", "phase", "updates", "images_seen"), "whole"),
        **dict.fromkeys(("seconds", "train_seconds", "images_per_second"), "number"),
        **dict.fromkeys(("train_loss", "validation_loss", "learning_rate"), "number"),
        **dict.fromkeys(("train_accuracy", "validation_accuracy", "validation_macro_f1"), "number"),
        "improved": "yes or no",
    },
    needed=("epoch",),
)
_PROGRESS = _Table(
    {
        **dict.fromkeys(("state", "reason", "device"), "text"),
        **dict.fromkeys(("epoch", "epochs", "step", "steps"), "whole"),
        **dict.fromkeys(("images_per_second", "seconds_left", "heartbeat"), "number"),
        **dict.fromkeys(("started", "queued_at"), "number"),
    }
)


_SIDE = _Table(
    {**_FIGURES, "macro_f1_interval": _ListOf("number", 2)},
    needed=("accuracy", "interval", "macro_f1", "macro_f1_interval", "per_class"),
)
_GAIN = _Table(
    {
        **dict.fromkeys(("accuracy", "macro_f1", "p_value"), "number"),
        **dict.fromkeys(("interval", "macro_f1_interval"), _ListOf("number", 2)),
        **dict.fromkeys(("only_before", "only_after"), "whole"),
    },
    needed=(
        *("accuracy", "macro_f1", "p_value", "interval", "macro_f1_interval"),
        *("only_before", "only_after"),
    ),
)
_BOTH = ("before", "after")
_SIDES = {"n": "whole", **dict.fromkeys(_BOTH, _SIDE)}
_CHANGE = _Table(
    {
        **_SIDES,
        **dict.fromkeys(("data", "start"), "text"),
        "classes": _ListOf("text"),
        "gain": _GAIN,
        "slice": _TableOf("whole"),
        **dict.fromkeys(("choosing", "best_epoch", "epochs", "seen_before"), "whole"),
        "without_twins": _Table(_SIDES, needed=tuple(_SIDES)),
    },
    needed=(
        *(*_SIDES, "data", "start", "classes", "gain"),
        *("slice", "choosing", "best_epoch", "epochs"),
    ),
)


_HEADER = _Table(
    {
        "model": "text",
        "model_options": _Table({}),
        "preprocessing": _Table(
            {"image_size": "number", "mean": _ListOf("number"), "std": _ListOf("number")},
            needed=("image_size", "mean", "std"),
        ),
        "class_names": _ListOf("text"),
        "temperature": "number",
    },
    needed=("model", "model_options", "preprocessing", "class_names", "temperature"),
)


def header_misfit(header: Mapping[str, Any]) -> str:
    """What is wrong with the header of a file of weights, as `record_misfit` says it."""
    return _misfit(header, _HEADER, "")


def record_misfit(record: Mapping[str, Any]) -> str:
    """What is wrong with the first field of a record that is not of its kind, such as "validation
    must be a table, got 5"; "" where all of them are."""
    found = _misfit(record, _RECORD, "")
    for part in () if found else SCORED:
        found = found or _misshapen(record.get(part) or {}, part)
    return found


def data_fits(facts: Mapping[str, Any]) -> bool:
    """Whether the facts of a data set are of their kinds, as in data.json."""
    return not _misfit(facts, _DATA, "")


def epoch_fits(epoch: Any) -> bool:
    """Whether the figures of an epoch are there and of their kinds."""
    return not _misfit(epoch, _EPOCH, "it") and None not in epoch.values()


def progress_fits(progress: Mapping[str, Any]) -> bool:
    """Whether what progress.json says is of its kinds."""
    return not _misfit(progress, _PROGRESS, "")


def change_fits(report: Mapping[str, Any]) -> bool:
    """Whether before_after.json holds all that is shown of it, both sides by the same classes."""
    if _misfit(report, _CHANGE, "") or "without_twins" not in report:
        return False
    before, after = ([row["class"] for row in report[side]["per_class"]] for side in _BOTH)
    return before == after and set(report["classes"]) <= set(before)


def missing_field(record: Mapping[str, Any], fields: Iterable[str]) -> str:
    """The first of these fields, as in "model.gflops", that a record lacks; "" where none does.

    Of scores, as in "test.accuracy", only where the record has such scores.
    """
    for field in fields:
        found: Any = record
        names = field.split(".")
        if names[0] in SCORED and not record.get(names[0]):
            continue
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is None:
            return field
    return ""


def _misshapen(scores: Mapping[str, Any], part: str) -> str:
    """The confusion matrix is square, with a row for each class."""
    confusion, rows = scores.get("confusion"), scores.get("per_class")
    if confusion is None:
        return ""
    sides = {len(confusion), *map(len, confusion)} | ({len(rows)} if rows is not None else set())
    if len(sides) == 1:
        return ""
    return f"{part}.confusion must be square with a row for each of per_class, got sides {sides}"


def _misfit(value: Any, shape: Any, field: str) -> str:
    inner: list[tuple[str, Any, Any]] = []
    before = f"{field}." if field else ""
    if isinstance(shape, str):
        fits, words = _KINDS[shape]
        return "" if fits(value) else f"{field} must be {words}, got {_short(value)}"
    if isinstance(shape, _ListOf):
        if not isinstance(value, list) or (shape.count and len(value) != shape.count):
            wanted = f"a list of {shape.count}" if shape.count else "a list"
            return f"{field} must be {wanted}, got {_short(value)}"
        inner = [(f"{field}[{place}]", part, shape.part) for place, part in enumerate(value)]
    elif not isinstance(value, dict):
        return f"{field} must be a table, got {_short(value)}"
    elif isinstance(shape, _TableOf):
        inner = [(f"{before}{name}", part, shape.value) for name, part in value.items()]
    else:
        known = ((name, value.get(name), kind) for name, kind in shape.fields.items())
        inner = [
            (f"{before}{name}", part, kind)
            for name, part, kind in known
            if part not in (None, {}) or name in shape.needed  # an empty table is as good as none
        ]
    return next(filter(None, (_misfit(part, kind, name) for name, part, kind in inner)), "")


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
