"""A finished run as it enters a comparison, and what makes a comparison of several unfair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.comparison.budgets.spending import AXES, Spending, read_spending
from fer_core.comparison.pairs import data_facts, same_data
from fer_core.comparison.wording import counted
from fer_core.paths import RunFolder
from fer_core.runs.inherited import inherited_words
from fer_core.runs.record import RunError, checked_record, read_progress

#: Two runs spent the same when the larger amount is at most this much above the smaller.
_SAME = 0.05
#: Seconds below this are told to a tenth, so that 3.2 s of 3 s does not read as 3 s.
_TENTHS_BELOW = 100


@dataclass(frozen=True)
class Entrant:
    """name: what it is called here. right of n test images were named right.

    confusion: int64 (classes, classes), rows true; per_class: rows of the record.
    """

    name: str
    folder: RunFolder
    n: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    confusion: np.ndarray
    per_class: tuple[Mapping[str, Any], ...]
    class_names: tuple[str, ...]
    spending: Spending

    @property
    def right(self) -> int:
        return int(np.trace(self.confusion))


def read_entrant(folder: RunFolder, name: str = "") -> Entrant:
    """A run's test result. RunError in plain words when it has none."""
    record, name = checked_record(folder), name or folder.name
    test = (record or {}).get("test")
    if not test:
        state = "finished" if record else read_progress(folder).state
        why = "without a test part" if record else "and has no test result yet"
        raise RunError(f"{name} is {state} {why}; only runs with a test result can be compared")
    try:
        low, high = test["interval"]
        return Entrant(
            name=name,
            folder=folder,
            n=int(test["n"]),
            accuracy=float(test["accuracy"]),
            interval=(float(low), float(high)),
            macro_f1=float(test["macro_f1"]),
            confusion=np.asarray(test["confusion"], dtype=np.int64),
            per_class=tuple(test["per_class"]),
            class_names=tuple(str(row["class"]) for row in test["per_class"]),
            spending=read_spending(folder, name),
        )
    except KeyError as error:
        raise RunError(
            f"the record of {name} cannot be read: it has no test.{error.args[0]}"
        ) from error
    except (TypeError, ValueError) as error:
        raise RunError(f"the record of {name} cannot be read: {error!r}") from error


def same_amounts(entrants: Sequence[Entrant]) -> tuple[str, ...]:
    """The `AXES` along which all entrants spent the same, within five percent."""
    return tuple(axis for axis in AXES if _same([run.spending.along(axis) for run in entrants]))


def fairness_warnings(
    entrants: Sequence[Entrant], kind: str | None = None, amount: float | None = None
) -> list[str]:
    """What a reader must know before taking a difference for one of the methods, in sentences.

    kind, amount: the budget that the runs were meant to have; None when they were made one by one.
    """
    return [
        *_data_warnings(entrants),
        *_training_warnings(entrants),
        *_budget_warnings(entrants, kind, amount),
    ]


def _data_warnings(entrants: Sequence[Entrant]) -> list[str]:
    first, others = entrants[0], entrants[1:]
    found = []
    if not all(same_data(first.folder.path, run.folder.path) for run in others):
        names = {run.name: data_facts(run.folder.path).get("name") or "?" for run in entrants}
        found.append(
            f"They were trained and tested on different data ({_listed(names)}): a difference may "
            "come from the images and not from the method."
        )
    elif len({run.n for run in entrants}) > 1:
        sizes = {run.name: f"{run.n:,} test images" for run in entrants}
        found.append(
            f"They were scored on different test parts ({_listed(sizes)}); what is compared image "
            "by image is compared on the shared ones alone."
        )
    if len({frozenset(run.class_names) for run in entrants}) > 1:
        sizes = {run.name: len(run.class_names) for run in entrants}
        if len(set(sizes.values())) > 1:
            words = {name: f"{size} expressions" for name, size in sizes.items()}
            easier = "fewer are easier"
        else:
            words = {run.name: ", ".join(run.class_names) for run in entrants}
            easier = "some are easier than others"
        found.append(f"They tell different expressions apart ({_listed(words)}); {easier}.")
    told = {run.name: inherited_words(data_facts(run.folder.path)) for run in entrants}
    return found + [f"{name}: {words}" for name, words in told.items() if words]


def _training_warnings(entrants: Sequence[Entrant]) -> list[str]:
    counts = {
        run.name: sum((data_facts(run.folder.path).get("counts") or {}).get("train", {}).values())
        for run in entrants
    }
    if len(set(counts.values())) > 1 and all(counts.values()):
        sizes = {name: f"{count:,}" for name, count in counts.items()}
        return [f"They learned from different numbers of training images ({_listed(sizes)})."]
    return []


def _budget_warnings(
    entrants: Sequence[Entrant], kind: str | None, amount: float | None
) -> list[str]:
    found = []
    if kind and amount:
        spent = {run.name: run.spending.along(kind) for run in entrants}
        short = {
            name: _amount(kind, value)
            for name, value in spent.items()
            if value is not None and not _same([value, amount])
        }
        if short:
            found.append(
                f"The budget was {_amount(kind, amount)}, but it was not spent as meant "
                f"({_listed(short)}): early stopping or the end of its epochs or schedule came "
                "first, or one step took long."
            )
    elif not same_amounts(entrants):
        amounts = {run.name: _spent_words(run.spending) for run in entrants}
        found.append(
            f"They had different budgets ({_listed(amounts)}): the one that trained longer may owe "
            "its lead to that."
        )
    devices = {run.name: run.spending.device for run in entrants if run.spending.device}
    if len(set(devices.values())) > 1 and (kind == "seconds" or not kind):
        found.append(f"They ran on different devices ({_listed(devices)}); seconds differ with it.")
    return found


def _spent_words(spending: Spending) -> str:
    amounts = [(axis, spending.along(axis)) for axis in AXES]
    return ", ".join(_amount(axis, value) for axis, value in amounts if value is not None)


def _amount(axis: str, value: float) -> str:
    """ "1 epoch", "2,000 updates", "3.2 s", "30 s"."""
    if axis != "seconds":
        return counted(round(value), axis.removesuffix("s"))
    tenths = value < _TENTHS_BELOW and round(value, 1) != round(value)
    return f"{value:,.1f} s" if tenths else f"{value:,.0f} s"


def _same(amounts: Sequence[float | None]) -> bool:
    known = [amount for amount in amounts if amount]
    return len(known) == len(amounts) and max(known) <= min(known) * (1 + _SAME)


def _listed(words: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in words.items())
