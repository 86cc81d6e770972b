"""Accuracy and macro F1 over chosen classes, with 95 % intervals, alone or as a difference.

A confusion matrix or paired answers enter. Images that agree in label and answers are
exchangeable, so a bootstrap draws the counts of such cells instead of the images: the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.comparison.significance import mcnemar, unpaired_difference
from fer_core.training.metrics import wilson_interval

ROUNDS = 2000


@dataclass(frozen=True)
class Answers:
    """What one or two networks (S) said of the same images, as counts of equal cases.

    labels: int64 (M,), the true class of each case; predicted: int64 (S, M); counts: int64 (M,).
    """

    labels: np.ndarray
    predicted: np.ndarray
    counts: np.ndarray

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def of_classes(self, classes: np.ndarray) -> Answers:
        """Only the images whose true class is one of `classes`; any answer stays possible."""
        kept = np.isin(self.labels, classes)
        return Answers(self.labels[kept], self.predicted[:, kept], self.counts[kept])


def answers_of(labels: np.ndarray, *predicted: np.ndarray) -> Answers:
    """labels and each of `predicted`: int (N,), the same images in the same order."""
    cases, counts = np.unique(np.stack([labels, *predicted]), axis=1, return_counts=True)
    return Answers(cases[0].astype(np.int64), cases[1:].astype(np.int64), counts.astype(np.int64))


def answers_of_confusion(confusion: np.ndarray) -> Answers:
    """confusion: int (classes, classes), rows true, columns predicted."""
    counts = np.asarray(confusion, dtype=np.int64)
    true, predicted = (part.ravel() for part in np.indices(counts.shape))
    kept = counts.ravel() > 0
    return Answers(true[kept], predicted[None, kept], counts.ravel()[kept])


def figures(answers: Answers, seed: int = 0, side: int = 0) -> dict[str, Any]:
    """Keys accuracy, interval (Wilson), macro_f1, macro_f1_interval (bootstrap), n.

    Macro F1 averages over the classes that occur as a label. side: whose answers.
    """
    right = int(answers.counts[answers.predicted[side] == answers.labels].sum())
    drawn = _macro_f1(answers, _drawn(answers, seed))[side]  # (R,)
    return {
        "accuracy": right / max(1, answers.n),
        "interval": list(wilson_interval(right, answers.n)),
        "macro_f1": float(_macro_f1(answers, answers.counts[None])[side, 0]),
        "macro_f1_interval": _percentiles(drawn),
        "n": answers.n,
    }


def unpaired_drop(own: Answers, new: Answers, seed: int = 0) -> dict[str, Any]:
    """How much lower the figures are on `new` images than on `own` ones.

    Keys accuracy and macro_f1 (own minus new), interval (Newcombe) and macro_f1_interval
    (bootstrap, both sides drawn on their own), p_value of the accuracies being equal.
    """
    sides = [int(part.counts[part.predicted[0] == part.labels].sum()) for part in (own, new)]
    found = unpaired_difference(sides[0], own.n, sides[1], new.n)
    drawn = [
        _macro_f1(part, _drawn(part, (seed, place)))[0] for place, part in enumerate((own, new))
    ]
    seen = [float(_macro_f1(part, part.counts[None])[0, 0]) for part in (own, new)]
    return {
        "accuracy": found.difference,
        "interval": [found.low, found.high],
        "macro_f1": seen[0] - seen[1],
        "macro_f1_interval": _percentiles(drawn[0] - drawn[1]),
        "p_value": found.p_value,
    }


def paired_gain(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """What changed between two networks on the same images, int (N,) each.

    Keys accuracy and macro_f1 (after minus before) with interval and macro_f1_interval (paired
    bootstrap), only_before and only_after (images that one of them alone had right), p_value
    (McNemar's exact test).
    """
    answers = answers_of(labels, before, after)
    drawn = _drawn(answers, 0)
    right = (answers.predicted == answers.labels).T  # (M, 2)
    shares = drawn @ right / answers.n  # (R, 2)
    macro = _macro_f1(answers, drawn)  # (2, R)
    seen = _macro_f1(answers, answers.counts[None])[:, 0]
    test = mcnemar(before == labels, after == labels)
    return {
        "accuracy": (test.only_b - test.only_a) / test.n,
        "interval": _percentiles(shares[:, 1] - shares[:, 0]),
        "macro_f1": float(seen[1] - seen[0]),
        "macro_f1_interval": _percentiles(macro[1] - macro[0]),
        "only_before": test.only_a,
        "only_after": test.only_b,
        "p_value": test.p_value,
    }


def _drawn(answers: Answers, seed: int | tuple[int, int]) -> np.ndarray:
    """int64 (R, M): the counts of as many images drawn again with replacement."""
    random = np.random.default_rng(seed)
    return random.multinomial(answers.n, answers.counts / answers.n, size=ROUNDS)


def _macro_f1(answers: Answers, counts: np.ndarray) -> np.ndarray:
    """counts (R, M) of the cases of `answers` → macro F1 of each side, (S, R).

    A class counts in a draw when it occurs there as a label.
    """
    classes = np.unique(answers.labels)
    counts = counts.astype(np.float64)  # exact up to 2**53, and quicker to multiply
    is_true = np.equal.outer(answers.labels, classes)  # (M, K)
    occurring = counts @ is_true  # (R, K)
    sides = []
    for predicted in answers.predicted:
        is_predicted = np.equal.outer(predicted, classes)
        right = counts @ (is_true & is_predicted)
        bottom = occurring + counts @ is_predicted
        f1 = np.divide(2 * right, bottom, out=np.zeros_like(right), where=bottom > 0)
        there = occurring > 0
        sides.append(f1.sum(axis=1) / np.maximum(1, there.sum(axis=1)))
    return np.stack(sides)


def _percentiles(values: np.ndarray) -> list[float]:
    return [float(end) for end in np.percentile(values, [2.5, 97.5])]
