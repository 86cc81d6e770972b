"""Preparations of a training part before the first epoch, as named steps: `prepare_training`.

A step is a short text ("oversample", "mirror disgust", "keep 0.6"); `STEPS` describes each. The
same seed and steps give the same rows. Only training images ever come in here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fer_core.data.faces import DataError
from fer_core.data.preparation_work import WORK, RowTable, Step
from fer_core.labels import canonical_name

#: Called with (hundredths done, hundredths in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Prepared:
    """images: uint8 (M, H, W, C); labels: int64 (M,); origins: int64 (M,), the row of the given
    images that each row was made from; rows: each step's text with the rows after it."""

    images: np.ndarray
    labels: np.ndarray
    origins: np.ndarray
    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class StepKind:
    """What may follow a step's name. words: what it does, for the page; number: lowest and highest
    value of the number that it takes, None without one; classes: whether class names may follow."""

    words: str
    number: tuple[float, float] | None = None
    classes: bool = False


STEPS: dict[str, StepKind] = {
    "oversample": StepKind("repeats random images until every class is as large as the largest"),
    "tenfold": StepKind(
        "ten variants of each image: itself, mirrored, turned by quarters, brightness, contrast, "
        "noise, shift, and three changed twice"
    ),
    "drop_duplicates": StepKind("keeps one of several identical images with the same label"),
    "keep": StepKind("keeps this share of every class, drawn at random", (0.001, 1.0)),
    "trim": StepKind("cuts every class to the size of the smallest, at random"),
    "mirror": StepKind("adds a mirrored copy of each image", classes=True),
    "rotate": StepKind(
        "adds a copy of each image, turned by up to so many degrees", (0.1, 180.0), True
    ),
    "ten_crop": StepKind(
        "adds ten crops of each image, so many pixels wide: corners and centre, also mirrored",
        (4, 1024),
        True,
    ),
}


def check_steps(steps: Sequence[str]) -> tuple[str, ...]:
    """The steps with single blanks; DataError for one that is unknown or lacks its number.

    Whether the set has the classes that are named shows when it is prepared.
    """
    if isinstance(steps, str):
        raise DataError(f'the preparation must be a list of steps, got the text "{steps}"')
    return tuple(_parse(step).text for step in steps)


def prepare_training(
    images: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    steps: Sequence[str],
    seed: int,
    progress: Progress | None = None,
) -> Prepared:
    """Work off `steps` over a training part, in order.

    images: uint8 (N, H, W, C); labels: int (N,), an index into `class_names` each. seed: of every
    draw; step number i draws from (seed, i) alone. progress: called with (done, all) hundredths.
    Raises DataError for a step or class that is not there, or a step that the images do not allow.
    """
    parsed = [_parse(step) for step in steps]
    if not len(images):
        raise DataError("there is no training image to prepare; the split left none")
    every = np.arange(len(images))
    table = RowTable(images, np.asarray(labels, dtype=np.int64), origins=every, index=every)
    rows = []
    for number, step in enumerate(parsed):
        chosen = table.members(_labels_named(step, class_names))
        random = np.random.default_rng((seed, number))

        def on_share(share: float, number: int = number) -> None:
            if progress:
                progress(round(100 * (number + share)), 100 * len(parsed))

        on_share(0.0)
        table = WORK[step.name](table, step, chosen, random, on_share)
        on_share(1.0)
        rows.append((step.text, len(table.index)))
    return Prepared(
        images=table.images[table.index],
        labels=table.labels[table.index],
        origins=table.origins[table.index],
        rows=tuple(rows),
    )


def _parse(text: str) -> Step:
    name, *words = str(text).split() or [""]
    kind = STEPS.get(name)
    if kind is None:
        raise DataError(f"unknown preparation {text!r}; choose from {', '.join(STEPS)}")
    number = math.nan
    if kind.number:
        low, high = kind.number
        number, words = _number(words), words[1:]
        whole = name != "ten_crop" or number == int(number if math.isfinite(number) else 0)
        if not (low <= number <= high and whole):
            what = "a whole number" if name == "ten_crop" else "a number"
            raise DataError(
                f"{name} takes {what} of {low:g} to {high:g}, got {text!r}; try {_EXAMPLES[name]!r}"
            )
    if words and not kind.classes:
        raise DataError(f"{name} takes nothing after it, got {text!r}; leave {words[0]!r} out")
    return Step(" ".join(str(text).split()), name, number, tuple(words))


_EXAMPLES = {"keep": "keep 0.6", "rotate": "rotate 10 disgust", "ten_crop": "ten_crop 44 disgust"}


def _number(words: list[str]) -> float:
    try:
        return float(words[0])
    except (IndexError, ValueError):
        return math.nan


def _labels_named(step: Step, class_names: Sequence[str]) -> np.ndarray | None:
    """The labels of a step's classes; None when it names none, which means all."""
    if not step.classes:
        return None
    known = {canonical_name(name): label for label, name in enumerate(class_names)}
    for name in step.classes:
        if canonical_name(name) not in known:
            raise DataError(
                f"{step.text!r} names the class {name!r}, which the set does not have; "
                f"it has {', '.join(class_names)}"
            )
    return np.array([known[canonical_name(name)] for name in step.classes])
