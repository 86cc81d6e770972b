"""What each preparation step does to the rows of a training part: `WORK`, by the step's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fer_core.data.faces import DataError
from fer_core.data.offline_copies import blocks, mirrored, rotated, ten_crops, tenfold
from fer_core.data.twins import twin_keys


@dataclass(frozen=True)
class Step:
    """One step, parsed. text: as it was given. number: NaN where the step takes none. classes: as
    named behind it, empty for all."""

    text: str
    name: str
    number: float
    classes: tuple[str, ...]


@dataclass(frozen=True)
class RowTable:
    """Stored rows, and `index`: which of them are in the set, in which order, repeats allowed.

    Steps that only choose rows change the index alone, so that no image is copied for them.
    """

    images: np.ndarray
    labels: np.ndarray
    origins: np.ndarray
    index: np.ndarray

    @property
    def row_labels(self) -> np.ndarray:
        return self.labels[self.index]

    def members(self, labels: np.ndarray | None) -> np.ndarray:
        """Stored-row numbers of the rows whose label is in `labels`; None is every row."""
        return self.index if labels is None else self.index[np.isin(self.row_labels, labels)]

    def groups(self) -> list[np.ndarray]:
        """Positions in `index` per class that is there, in class order."""
        row_labels = self.row_labels
        return [np.flatnonzero(row_labels == label) for label in np.unique(row_labels)]

    def chosen(self, positions: np.ndarray) -> RowTable:
        return replace(self, index=self.index[positions])

    def with_copies(self, copies: np.ndarray, made_from: np.ndarray) -> RowTable:
        """The set with `copies` (K, H, W, C) at its end, each made from a stored row."""
        there = len(self.images)
        return RowTable(
            np.concatenate([self.images, copies]),
            np.concatenate([self.labels, self.labels[made_from]]),
            np.concatenate([self.origins, self.origins[made_from]]),
            np.concatenate([self.index, np.arange(there, there + len(copies))]),
        )


#: Called with the share of a step that is done.
OnShare = Callable[[float], None]


def _oversample(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    """Every image once, and as many more with replacement as its class lacks; shuffled."""
    groups = table.groups()
    largest = max(map(len, groups))
    drawn = [random.choice(group, largest - len(group)) for group in groups]
    return table.chosen(random.permutation(np.concatenate([*groups, *drawn])))


def _tenfold(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    height, width = table.images.shape[1:3]
    if height != width:
        raise DataError(
            f"tenfold turns images by quarters, so they must be square, got {width} x {height}; "
            "choose an image size"
        )
    count = len(table.index)
    result = np.empty((count, 10, *table.images.shape[1:]), dtype=np.uint8)
    for rows in blocks(result):
        result[rows] = tenfold(table.images[table.index[rows]], random)
        on_share(rows.stop / count)
    made_from = np.repeat(table.index, 10)
    return RowTable(
        result.reshape(-1, *table.images.shape[1:]),
        table.labels[made_from],
        table.origins[made_from],
        np.arange(len(made_from)),
    )


def _drop_duplicates(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    _, first = np.unique(table.index, return_index=True)  # the same stored row is the same image
    positions = np.sort(first)
    keys = twin_keys(table.images)[table.index[positions]]
    labels = table.row_labels[positions].tolist()
    seen: dict[tuple[str, int], int] = {}
    for position, key, label in zip(positions.tolist(), keys.tolist(), labels, strict=True):
        seen.setdefault((key, label), position)
    return table.chosen(np.array(list(seen.values()), dtype=np.int64))


def _keep(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    return _drawn(table, lambda size: max(1, round(step.number * size)), random)


def _trim(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    smallest = min(map(len, table.groups()))
    return _drawn(table, lambda size: smallest, random)


def _drawn(table: RowTable, wanted: Callable[[int], int], random: np.random.Generator) -> RowTable:
    """`wanted(size)` random rows of every class, without replacement, in the order they were in."""
    kept = [random.choice(group, wanted(len(group)), replace=False) for group in table.groups()]
    return table.chosen(np.sort(np.concatenate(kept)))


def _mirror(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    return table.with_copies(mirrored(table.images[chosen]), chosen)


def _rotate(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    return table.with_copies(rotated(table.images[chosen], step.number, random), chosen)


def _ten_crop(
    table: RowTable, step: Step, chosen: np.ndarray, random: np.random.Generator, on_share: OnShare
) -> RowTable:
    side, height, width = int(step.number), *table.images.shape[1:3]
    if side >= min(height, width):
        raise DataError(
            f"the crops of {step.text!r} must be smaller than the images ({width} x {height}), "
            f"got {side}; try {min(height, width) * 11 // 12}"
        )
    return table.with_copies(ten_crops(table.images[chosen], side), np.repeat(chosen, 10))


#: (table, step, chosen rows (K,), generator, on_share) → the table after the step.
WORK: dict[str, Callable[..., RowTable]] = {
    "oversample": _oversample,
    "tenfold": _tenfold,
    "drop_duplicates": _drop_duplicates,
    "keep": _keep,
    "trim": _trim,
    "mirror": _mirror,
    "rotate": _rotate,
    "ten_crop": _ten_crop,
}
