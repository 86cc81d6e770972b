"""The same images as two runs answered them, matched by where each image came from.

Two run folders enter, a `Pair` leaves; what cannot be matched is refused, never paired by guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.kept_answers import answers_file, lacks_answers
from fer_core.paths import RunFolder
from fer_core.runs.record import read_data_facts
from fer_core.training.scoring import PROBABILITY

#: Fewer shared images than this, or than half of the smaller part, are no basis for a paired test.
LEAST_SHARED = 30
_LEAST_SHARE = 0.5


class PairError(ValueError):
    """Two runs that cannot be compared image by image; the message says why."""


@dataclass(frozen=True)
class Predictions:
    """What a run said of one part: ids str (N,), labels and predicted int64 (N,), both as places in
    class_names; has_twin bool (N,): a pixel-identical image stands in training."""

    name: str
    ids: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    has_twin: np.ndarray
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """The shared images of two runs: labels, predicted_a, predicted_b int64 (N,) in class_names.

    images_a, images_b: how many each run was scored on. left_out: images only one of them has.
    """

    name_a: str
    name_b: str
    class_names: tuple[str, ...]
    labels: np.ndarray
    predicted_a: np.ndarray
    predicted_b: np.ndarray
    has_twin: np.ndarray
    images_a: int
    images_b: int

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def correct_a(self) -> np.ndarray:
        return self.predicted_a == self.labels

    @property
    def correct_b(self) -> np.ndarray:
        return self.predicted_b == self.labels

    @property
    def left_out(self) -> int:
        return self.images_a + self.images_b - 2 * self.n

    def without_twins(self) -> Pair:
        """The same pair on the images that have no pixel-identical twin in either training part."""
        kept = ~self.has_twin
        return replace(
            self,
            labels=self.labels[kept],
            predicted_a=self.predicted_a[kept],
            predicted_b=self.predicted_b[kept],
            has_twin=self.has_twin[kept],
        )


def read_predictions(folder: Path, part: str = "test") -> Predictions:
    """A run's stored answers for one part. PairError when there are none."""
    place = RunFolder(Path(folder))
    stored = answers_file(place)
    if not stored.is_file():
        asked = lacks_answers(place)
        why = "whoever has its set can ask it for them" if asked else "only a finished run has them"
        raise PairError(
            f"{place.name} has no stored predictions, so its images cannot be matched with another "
            f"run's; {why}"
        )
    try:
        table = pd.read_parquet(stored)
        table = table[table["split"] == part]
        columns = [name for name in table.columns if name.startswith(PROBABILITY)]
        probabilities = table[columns].to_numpy(dtype=np.float64)  # (N, classes)
        names = tuple(name.removeprefix(PROBABILITY) for name in columns)
        ids = np.array([str(one) for one in table["id"]])  # a null as well
        labels = table["label"].to_numpy(dtype=np.int64)
        twins = table["has_twin"].to_numpy(dtype=bool)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PairError(f"the predictions of {place.name} cannot be read: {error}") from error
    if not len(table) or not columns:
        raise PairError(f"{place.name} has no predictions for its {part} part")
    if len(np.unique(ids)) < len(ids):
        raise PairError(f"{place.name} names an image twice, so images cannot be told apart")
    if labels.min() < 0 or labels.max() >= len(names):
        raise PairError(f"the predictions of {place.name} hold labels without a class")
    return Predictions(place.name, ids, labels, probabilities.argmax(axis=1), twins, names)


def read_pair(folder_a: Path, folder_b: Path, part: str = "test") -> Pair:
    """The images that both runs were scored on, matched by id.

    part: "test" or "validation". PairError in a plain sentence when either has no predictions, the
    data or the labels differ, or too few images are shared.
    """
    first, second = read_predictions(folder_a, part), read_predictions(folder_b, part)
    _same_data(Path(folder_a), Path(folder_b))
    shared, of_a, of_b = np.intersect1d(first.ids, second.ids, return_indices=True)
    smaller = min(len(first.ids), len(second.ids))
    if len(shared) < max(LEAST_SHARED, _LEAST_SHARE * smaller):
        raise PairError(
            f"{first.name} and {second.name} share {len(shared):,} {part} images of "
            f"{len(first.ids):,} and {len(second.ids):,}, too few for a paired test; train both "
            "with the same split"
        )
    names = tuple(dict.fromkeys([*first.class_names, *second.class_names]))
    labels_a, predicted_a = _renumbered(first, names, of_a)
    labels_b, predicted_b = _renumbered(second, names, of_b)
    different = labels_a != labels_b
    if different.any():
        place = int(different.argmax())
        raise PairError(
            f"{different.sum():,} of the {len(shared):,} shared images carry different labels "
            f"({shared[place]}: {names[labels_a[place]]} for {first.name}, "
            f"{names[labels_b[place]]} for {second.name}); both runs must use the same labels"
        )
    twins = first.has_twin[of_a] | second.has_twin[of_b]
    return Pair(
        first.name,
        second.name,
        names,
        labels_a,
        predicted_a,
        predicted_b,
        twins,
        len(first.ids),
        len(second.ids),
    )


def same_data(folder_a: Path, folder_b: Path) -> bool:
    """Whether two runs read the same set, as far as their folders tell."""
    first, second = data_facts(folder_a), data_facts(folder_b)
    known = [key for key in ("fingerprint", "source", "name") if first.get(key) and second.get(key)]
    return not known or any(first[key] == second[key] for key in known)


def data_facts(folder: Path) -> Mapping[str, Any]:
    """What a run's folder says of its data; empty when it says nothing."""
    return read_data_facts(RunFolder(Path(folder)))


def _same_data(folder_a: Path, folder_b: Path) -> None:
    if not same_data(folder_a, folder_b):
        first, second = data_facts(folder_a), data_facts(folder_b)
        raise PairError(
            f"{folder_a.name} was scored on {first.get('name') or first.get('source')} and "
            f"{folder_b.name} on {second.get('name') or second.get('source')}; only runs on the "
            "same images can be compared image by image"
        )


def _renumbered(
    side: Predictions, names: tuple[str, ...], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions of these rows as places in `names`."""
    places = np.array([names.index(name) for name in side.class_names])
    return places[side.labels[rows]], places[side.predicted[rows]]
