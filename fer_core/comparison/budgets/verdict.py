"""Finished runs against each other: every pair tested on its test images, and what came out.

Runs on the same images are tested in pairs, others of the same set by their shares, those of
different sets not at all. Over several pairs the p-values are corrected by Holm, and only one below
`LEVEL` makes a difference more than noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from fer_core.comparison.entrants import Entrant, fairness_warnings, read_entrant, same_amounts
from fer_core.comparison.pairs import Pair, PairError, read_pair, same_data
from fer_core.comparison.significance import (
    LEVEL,
    Difference,
    PairedTest,
    holm,
    mcnemar,
    paired_bootstrap,
    unpaired_difference,
    unpaired_macro_f1,
)
from fer_core.paths import RunFolder
from fer_core.runs.record import RunError

MOST_RUNS = 8


@dataclass(frozen=True)
class ClassRow:
    """One expression in two runs, each figure as (first, second). p_value: Holm-corrected over the
    expressions, of "the recall is equal"; None for runs that are not paired. support: its images
    in the first; support_b: in the second where that had others."""

    label: str
    support: int
    recall: tuple[float, float]
    f1: tuple[float, float]
    p_value: float | None
    support_b: int | None = None

    def difference(self, measure: str) -> float:
        first, second = getattr(self, measure)
        return first - second


@dataclass(frozen=True)
class PairVerdict:
    """Two runs, the one with the higher accuracy first; on equal accuracy in the order given.

    images: the shared ones when paired, else 0, and `unpaired_because` says why. accuracy's p-value
    is McNemar's (`test`) or that of two proportions; macro_f1's the bootstrap's. accuracy_p and
    macro_f1_p are corrected for the number of pairs of one set. without_twins: accuracy and n on
    the images without a pixel-identical twin in training, where there are some with. same_set:
    whether both were tested on images of one set; where not, nothing that they differ by is called
    a lead, and the p-values say nothing of the methods.
    """

    first: str
    second: str
    images: int
    counts: tuple[int, int]
    accuracy: Difference
    macro_f1: Difference
    accuracy_p: float
    macro_f1_p: float
    classes: tuple[ClassRow, ...]
    test: PairedTest | None = None
    without_twins: tuple[Difference, int] | None = None
    unpaired_because: str = ""
    same_set: bool = True

    @property
    def paired(self) -> bool:
        return self.test is not None

    @property
    def clear(self) -> bool:
        """Whether the accuracies differ by more than noise."""
        return self.same_set and self.accuracy_p < LEVEL

    @property
    def macro_f1_clear(self) -> bool:
        return self.same_set and self.macro_f1_p < LEVEL


@dataclass(frozen=True)
class Comparison:
    """entrants: best accuracy first. same: the axes along which all spent the same."""

    entrants: tuple[Entrant, ...]
    pairs: tuple[PairVerdict, ...]
    warnings: tuple[str, ...]
    same: tuple[str, ...]

    @property
    def tested(self) -> int:
        """How many pairs can be judged, being of one set each; p-values are corrected for these."""
        return sum(pair.same_set for pair in self.pairs)

    def pair(self, first: str, second: str) -> PairVerdict:
        """The verdict on these two, in either order. KeyError when there is none."""
        for item in self.pairs:
            if {item.first, item.second} == {first, second}:
                return item
        raise KeyError(f"{first} and {second} were not compared")


def compare_runs(
    runs: Mapping[str, RunFolder], kind: str | None = None, amount: float | None = None
) -> Comparison:
    """Test every pair of these runs. runs: what each is called → its folder.

    kind, amount: the budget that they were meant to have, None when made one by one. RunError when
    there are fewer than two, too many, or one without a test result.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise RunError(f"choose 2 to {MOST_RUNS} runs to compare, got {len(runs)}")
    if len({folder.path.resolve() for folder in runs.values()}) < len(runs):
        raise RunError("one run is given twice; choose different ones")
    entrants = [read_entrant(folder, name) for name, folder in runs.items()]
    entrants.sort(key=lambda run: -run.accuracy)
    pairs = [compare_pair(*two) for two in itertools.combinations(entrants, 2)]
    accuracy = iter(holm([pair.accuracy_p for pair in pairs if pair.same_set]))
    macro_f1 = iter(holm([pair.macro_f1_p for pair in pairs if pair.same_set]))
    pairs = [
        replace(pair, accuracy_p=next(accuracy), macro_f1_p=next(macro_f1))
        if pair.same_set
        else pair
        for pair in pairs
    ]
    return Comparison(
        tuple(entrants),
        tuple(_with_twins_corrected(pairs)),
        tuple(fairness_warnings(entrants, kind, amount)),
        same_amounts(entrants),
    )


def _with_twins_corrected(pairs: list[PairVerdict]) -> list[PairVerdict]:
    """The same verdicts, p-values without twins corrected over the pairs that have one."""
    free = [pair.without_twins for pair in pairs]
    corrected = iter(holm([found[0].p_value for found in free if found]))
    return [
        replace(pair, without_twins=(replace(found[0], p_value=next(corrected)), found[1]))
        if found
        else pair
        for pair, found in zip(pairs, free, strict=True)
    ]


def compare_pair(a: Entrant, b: Entrant) -> PairVerdict:
    """Two runs alone, paired when their images match; p-values are not corrected."""
    try:
        pair = read_pair(a.folder.path, b.folder.path)
    except PairError as error:
        return _unpaired(a, b, str(error))
    if pair.correct_b.sum() > pair.correct_a.sum():  # on the shared images it may be the other way
        a, b = b, a
        pair = read_pair(a.folder.path, b.folder.path)
    test = mcnemar(pair.correct_a, pair.correct_b)
    boot = paired_bootstrap(pair.labels, pair.predicted_a, pair.predicted_b)
    free = pair.without_twins()
    without = None
    if 0 < free.n < pair.n:
        difference = paired_bootstrap(free.labels, free.predicted_a, free.predicted_b).accuracy
        p_value = mcnemar(free.correct_a, free.correct_b).p_value
        without = (replace(difference, p_value=p_value), free.n)
    return PairVerdict(
        first=a.name,
        second=b.name,
        images=pair.n,
        counts=(a.n, b.n),
        accuracy=replace(boot.accuracy, p_value=test.p_value),
        macro_f1=boot.macro_f1,
        accuracy_p=test.p_value,
        macro_f1_p=boot.macro_f1.p_value,
        classes=tuple(_paired_classes(pair)),
        test=test,
        without_twins=without,
    )


def _unpaired(a: Entrant, b: Entrant, reason: str) -> PairVerdict:
    accuracy = unpaired_difference(a.right, a.n, b.right, b.n)
    macro_f1 = unpaired_macro_f1(a.confusion, b.confusion)
    of_a = {row["class"]: row for row in a.per_class}
    of_b = {row["class"]: row for row in b.per_class}
    rows = [
        ClassRow(
            label,
            int(of_a[label]["support"]),
            (of_a[label]["recall"], of_b[label]["recall"]),
            (of_a[label]["f1"], of_b[label]["f1"]),
            None,
            int(of_b[label]["support"]),
        )
        for label in a.class_names
        if label in of_b
    ]
    return PairVerdict(
        first=a.name,
        second=b.name,
        images=0,
        counts=(a.n, b.n),
        accuracy=accuracy,
        macro_f1=macro_f1,
        accuracy_p=accuracy.p_value,
        macro_f1_p=macro_f1.p_value,
        classes=tuple(rows),
        unpaired_because=reason,
        same_set=same_data(a.folder.path, b.folder.path),
    )


def _paired_classes(pair: Pair) -> list[ClassRow]:
    """Expressions that occur among the shared images, in the order of the classes."""
    places = np.unique(pair.labels)
    _, recall_a, f1_a, support = _figures(pair.labels, pair.predicted_a, places)
    _, recall_b, f1_b, _ = _figures(pair.labels, pair.predicted_b, places)
    members = [pair.labels == place for place in places]
    p_values = holm([mcnemar(pair.correct_a[of], pair.correct_b[of]).p_value for of in members])
    columns = zip(places, support, recall_a, recall_b, f1_a, f1_b, p_values, strict=True)
    return [
        ClassRow(
            pair.class_names[place],
            int(count),
            (float(one), float(two)),
            (float(three), float(four)),
            p_value,
        )
        for place, count, one, two, three, four, p_value in columns
    ]


def _figures(labels: np.ndarray, predicted: np.ndarray, places: Sequence[int]) -> Any:
    return precision_recall_fscore_support(labels, predicted, labels=places, zero_division=0)
