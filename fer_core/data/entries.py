"""What every foreign format becomes before it is decoded: a `Form` that yields `Entry` values.

An entry is one picture with the name of its class and its part of the source's split, if known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.data.faces import Unreadable
from fer_core.labels import FER2013_CLASSES, canonical_name, ordered_classes

#: Column names in the order in which they are looked for, blanks and case aside.
LABEL_COLUMNS = (
    *("emotion", "label", "labels", "expression", "class", "emotions", "emotion_label"),
    *("class_name", "category", "target"),
)
SPLIT_COLUMNS = ("usage", "split", "subset", "partition", "set")

_SPLITS = {
    "train": ("train", "training", "trn", "train set", "trainset", "training set"),
    "validation": (
        *("validation", "valid", "val", "dev", "eval", "publictest", "public test"),
        *("validation set", "val set"),
    ),
    "test": ("test", "testing", "privatetest", "private test", "test set", "testset"),
}
_SPLIT_OF = {synonym: split for split, synonyms in _SPLITS.items() for synonym in synonyms}


@dataclass(frozen=True)
class Entry:
    """One picture of a source.

    where: the row or the path inside the source. content: the file's bytes, the file, or pixels
    uint8 (H, W, C). label: canonical class name or None. split: one of SPLIT_NAMES or None.
    """

    where: str
    content: bytes | Path | np.ndarray
    label: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Form:
    """A source that has been recognised.

    entries: starts reading from the beginning each time it is called. count: how many to expect
    (an estimate). classes: canonical names that the source declares, with or without pictures.
    """

    entries: Callable[[], Iterator[Entry | Unreadable]]
    count: int
    classes: tuple[str, ...] = ()


def joined(forms: Sequence[Form]) -> Form:
    """Several forms one after the other."""

    def entries() -> Iterator[Entry | Unreadable]:
        for form in forms:
            yield from form.entries()

    classes = ordered_classes(name for form in forms for name in form.classes)
    return Form(entries, sum(form.count for form in forms), classes)


def split_name(text: str) -> str | None:
    """Which part of the split a usage, a file name or a folder name means; None when it is none."""
    plain = " ".join(str(text).strip().lower().replace("_", " ").replace("-", " ").split())
    return _SPLIT_OF.get(plain)


def known_split(value: object) -> str:
    """One of SPLIT_NAMES for the value of a split column. Raises ValueError on any other."""
    split = split_name(str(value))
    if split is None:
        raise ValueError(f"unknown split {str(value)[:40]!r}, expected train, validation or test")
    return split


def chosen_column(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The first of `wanted` among `columns`, blanks and case aside, as the source spells it."""
    spelled = {column.strip().lower(): column for column in reversed(columns)}
    return next((spelled[name] for name in wanted if name in spelled), None)


class LabelNames:
    """What the values of a label column mean; made from a sample or all of them.

    declared: names by number, where the source has them. Without them whole numbers from 0 to 6 are
    FER2013's, if the column is called emotion or all its values reach up to 6; other numbers become
    "class 7". Texts are class names.
    """

    def __init__(
        self, values: Sequence[object], declared: Sequence[str] = (), column: str = ""
    ) -> None:
        texts = {str(value).strip() for value in values if not _is_blank(value)}
        numbers = {number for number in map(_whole_number, texts) if number is not None}
        mostly_numbers = 2 * len(numbers) >= len(texts) and max(numbers, default=-1) >= 0
        self.numbered = bool(declared) or mostly_numbers
        if declared:
            self._names = tuple(canonical_name(name) for name in declared)
        elif self.numbered and self._like_fer2013(max(numbers), column):
            self._names = FER2013_CLASSES
        elif self.numbered:
            self._names = tuple(f"class {number}" for number in range(max(numbers) + 1))
        else:
            self._names = ()

    @staticmethod
    def _like_fer2013(highest: int, column: str) -> bool:
        last = len(FER2013_CLASSES) - 1
        return highest == last or (highest < last and "emotion" in column.lower())

    @property
    def classes(self) -> tuple[str, ...]:
        return self._names

    def name(self, value: object) -> str | None:
        """The canonical class name, None for a blank or -1. ValueError on an unknown label."""
        if _is_blank(value):
            return None
        text = str(value).strip()
        if not self.numbered:
            return canonical_name(text)
        number = _whole_number(text)
        if number is None and canonical_name(text) in self._names:
            return canonical_name(text)
        if number == -1:
            return None
        if number is None or not 0 <= number < len(self._names):
            raise ValueError(f"unknown label {text[:40]!r}, expected 0 to {len(self._names) - 1}")
        return self._names[number]


def _is_blank(value: object) -> bool:
    if value is None or (isinstance(value, float) and value != value):
        return True
    return isinstance(value, str) and value.strip().lower() in ("", "nan", "null")


def _whole_number(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number == number and abs(number) < 1e6 and number == int(number) else None
