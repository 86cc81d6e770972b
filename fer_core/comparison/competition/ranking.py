"""A competition: files of predictions against hidden labels, ranked by accuracy and efficiency.

Enters: CSV texts with the columns id and emotion. Leaves: one `Entrant` per file, a faulty file
with the sentence that says what is wrong with it. No label leaves this module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import f1_score

from fer_core.comparison.competition.prediction_files import (
    PredictionTable,
    check_ids,
    examples,
    label_places,
    plain_id,
    read_table,
    whole_number,
)
from fer_core.comparison.competition.submission import row_ids
from fer_core.data.faces import DataError, Faces
from fer_core.labels import FER2013_CLASSES, canonical_name
from fer_core.training.metrics import wilson_interval

MOST_FILES = 50
_GFLOPS = (1e-6, 1e6)


@dataclass(frozen=True)
class Solution:
    """The hidden labels: ids str (N,) and labels int64 (N,), places in class_names."""

    ids: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    name: str = "the hidden labels"

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.array([plain_id(str(one)) for one in self.ids], np.str_))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Entrant:
    """One file in the competition.

    fault: what is wrong with it in a sentence, "" for a file that was scored; the figures of a
    faulty one are None. accuracy with interval as fractions; efficiency: accuracy in percent for
    one GFLOP. rank, efficiency_rank, overall_rank: from 1, equal ones share a place.
    """

    name: str
    fault: str = ""
    images: int = 0
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    macro_f1: float | None = None
    gflops: float | None = None
    efficiency: float | None = None
    rank: int | None = None
    efficiency_rank: int | None = None
    overall_rank: int | None = None


def solution_of_faces(faces: Faces, part: str = "all") -> Solution:
    """Hidden labels out of a labelled set.

    part: "all" keeps the ids of the file (rows from 0); "validation", "test" or "held_out" (both)
    take that part of the set's own split and number it from 0 in the file's order, as a test.csv
    that was cut from the set is numbered. Raises DataError for a part that the set does not have.
    """
    labelled = faces.labels >= 0
    if part == "all":
        kept = np.flatnonzero(labelled)
        ids = row_ids(faces.ids[kept])
    else:
        wanted = ("validation", "test") if part == "held_out" else (part,)
        if faces.source_split is None:
            raise DataError(
                f"{faces.name} has no split of its own; take all of it as the hidden labels"
            )
        members = np.flatnonzero(np.isin(faces.source_split, wanted))
        numbers = np.arange(len(members)).astype(np.str_)
        kept, ids = members[labelled[members]], numbers[labelled[members]]
    if not len(kept):
        raise DataError(f"{faces.name} has no labelled image in that part; choose another")
    return Solution(ids, faces.labels[kept], faces.class_names, faces.name)


def read_solution(name: str, content: bytes) -> Solution:
    """Hidden labels out of a CSV with id and emotion. Raises DataError when it is none."""
    found = read_table(content)
    names = {canonical_name(one) for one in set(found.values) if whole_number(one) is None}
    known = names <= set(FER2013_CLASSES)
    classes = FER2013_CLASSES if known else tuple(sorted(names))
    labels = label_places(found.values, classes)
    check_ids(found.ids)
    return Solution(np.array(found.ids, dtype=np.str_), labels, classes, name)


def score_file(
    name: str, content: bytes, solution: Solution, gflops: float | None = None
) -> Entrant:
    """Score one file of predictions; a faulty one comes back with its fault in words.

    Labels may be names or numbers: FER2013's, or places in the solution's classes where it has
    others. gflops: of one forward pass; None takes the file's own column `gflops`, if there is one.
    Macro F1 averages over the classes that occur as a label or a prediction.
    """
    try:
        found = read_table(content)
        predicted = _in_order(found, solution)
        cost = _checked_gflops(found.gflops if gflops is None else gflops)
    except DataError as error:
        return Entrant(name, fault=str(error))
    correct = int((predicted == solution.labels).sum())
    accuracy = correct / len(solution)
    return Entrant(
        name,
        images=len(solution),
        accuracy=accuracy,
        interval=wilson_interval(correct, len(solution)),
        macro_f1=float(f1_score(solution.labels, predicted, average="macro", zero_division=0)),
        gflops=cost,
        efficiency=None if cost is None else 100 * accuracy / cost,
    )


def rank_entrants(entrants: Sequence[Entrant]) -> list[Entrant]:
    """The entrants with their places, the most accurate first, faulty files last.

    Efficiency ranks those with known GFLOPs. Overall ranks those by the sum of both places, equal
    sums by accuracy.
    """
    scored = [one for one in entrants if not one.fault]
    by_accuracy = _places({one.name: one.accuracy for one in scored})
    by_efficiency = _places({one.name: one.efficiency for one in scored})
    sums = {
        name: (-(by_accuracy[name] + place), -by_accuracy[name])
        for name, place in by_efficiency.items()
    }
    overall = _places(sums)
    placed = [
        replace(
            one,
            rank=by_accuracy[one.name],
            efficiency_rank=by_efficiency.get(one.name),
            overall_rank=overall.get(one.name),
        )
        for one in scored
    ]
    faulty = [one for one in entrants if one.fault]
    return [*sorted(placed, key=lambda one: one.rank or 0), *faulty]


def run_competition(
    files: Mapping[str, bytes], solution: Solution, gflops: Mapping[str, float] | None = None
) -> list[Entrant]:
    """Score and rank files by name. gflops: for the names that have any."""
    costs = gflops or {}
    return rank_entrants(
        [score_file(name, content, solution, costs.get(name)) for name, content in files.items()]
    )


def _places(values: Mapping[str, object]) -> dict[str, int]:
    """Places from 1 for the largest value; equal ones share a place, None has none."""
    known = {name: value for name, value in values.items() if value is not None}
    ordered = sorted(known.values(), reverse=True)  # type: ignore[type-var]
    return {name: 1 + ordered.index(value) for name, value in known.items()}


def _in_order(found: PredictionTable, solution: Solution) -> np.ndarray:
    """int64 (N,): the predicted classes in the order of the solution's ids."""
    check_ids(found.ids)
    wanted = set(solution.ids.tolist())
    got = set(found.ids)
    missing = [one for one in solution.ids.tolist() if one not in got]
    extra = [one for one in found.ids if one not in wanted]
    if missing or extra:
        rows = f"{len(found.ids):,} row{'s' * (len(found.ids) != 1)}"
        parts = [f"The file has {rows} for {len(solution):,} faces"]
        if missing:
            parts.append(f"missing ids: {len(missing):,} ({examples(missing)})")
        if extra:
            parts.append(f"unknown ids: {len(extra):,} ({examples(extra)})")
        raise DataError("; ".join(parts) + ".")
    labels = label_places(found.values, solution.class_names)
    by_id = dict(zip(found.ids, labels.tolist(), strict=True))
    return np.array([by_id[one] for one in solution.ids.tolist()], dtype=np.int64)


def _checked_gflops(value: float | None) -> float | None:
    if value is None:
        return None
    low, high = _GFLOPS
    if not (math.isfinite(value) and low <= value <= high):
        raise DataError(f"GFLOPs must be {low:g} to {high:g}, got {value:g}.")
    return value
