"""Is the difference between two sets of answers more than chance? Paired where the images match.

Plain arrays enter, differences with interval and p-value leave. The tests speak of these images and
these two trained networks; what another seed would have given is for several seeds to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm

from fer_core.training.metrics import wilson_interval

#: A p-value below this is called a difference, one at or above it "within noise".
LEVEL = 0.05
ROUNDS = 10_000
#: Rounds drawn at once, which bounds the memory.
_CHUNK = 1_000


@dataclass(frozen=True)
class PairedTest:
    """McNemar's test: how often both were right, only one was, neither was; the two-sided p."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float

    @property
    def n(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither


@dataclass(frozen=True)
class Difference:
    """a and b, a - b with its 95 % interval, and the two-sided p-value of "they are equal"."""

    a: float
    b: float
    low: float
    high: float
    p_value: float

    @property
    def difference(self) -> float:
        return self.a - self.b


@dataclass(frozen=True)
class BootstrapResult:
    accuracy: Difference
    macro_f1: Difference


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> PairedTest:
    """Exact McNemar test (a binomial test on the images that only one of the two got right).

    correct_a, correct_b: bool (N,), the same images in the same order. ValueError otherwise.
    """
    right_a, right_b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    _same_length(right_a, right_b)
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    differing = only_a + only_b
    p_value = float(binomtest(only_a, differing, 0.5).pvalue) if differing else 1.0
    both, neither = int((right_a & right_b).sum()), int((~right_a & ~right_b).sum())
    return PairedTest(both, only_a, only_b, neither, min(1.0, p_value))


def paired_bootstrap(
    labels: np.ndarray,
    predicted_a: np.ndarray,
    predicted_b: np.ndarray,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> BootstrapResult:
    """Differences of accuracy and macro F1 when the images are drawn again, in pairs.

    labels, predicted_a, predicted_b: int (N,), 0 or more. Images that agree in all three are
    exchangeable, so the resampled counts of each such cell are drawn at once: the same
    distribution as drawing N images with replacement. Intervals are percentiles, the p-value is
    twice the smaller tail. Macro F1 averages over the classes that occur, as in `metrics.score`.
    """
    labels, first, second = (np.asarray(part) for part in (labels, predicted_a, predicted_b))
    _same_length(labels, first, second)
    classes = int(max(part.max() for part in (labels, first, second))) + 1
    cells, counts = np.unique(np.stack([labels, first, second]), axis=1, return_counts=True)
    true, of_a, of_b = cells  # each (K,)

    def figures(drawn: np.ndarray) -> np.ndarray:
        """counts (R, K) → accuracy and macro F1 of a, then of b: (4, R)."""
        return np.stack(
            [
                _accuracy(drawn, true, of_a),
                _accuracy(drawn, true, of_b),
                _macro_f1(drawn, true, of_a, classes),
                _macro_f1(drawn, true, of_b, classes),
            ]
        )

    seen = figures(counts[None])[:, 0]
    drawn = np.concatenate(
        [figures(part) for part in _resampled(counts, seed, rounds)], axis=1
    )  # (4, rounds)
    return BootstrapResult(
        accuracy=_from_rounds(seen[0], seen[1], drawn[0] - drawn[1]),
        macro_f1=_from_rounds(seen[2], seen[3], drawn[2] - drawn[3]),
    )


def unpaired_difference(right_a: int, total_a: int, right_b: int, total_b: int) -> Difference:
    """Two accuracies on different images: Newcombe's hybrid score interval (1998, method 10).

    right of total images each. The p-value is that of the pooled two-proportion z-test.
    """
    if min(total_a, total_b) < 1:
        raise ValueError(f"both sides need images, got {total_a} and {total_b}")
    a, b = right_a / total_a, right_b / total_b
    low_a, high_a = wilson_interval(right_a, total_a)
    low_b, high_b = wilson_interval(right_b, total_b)
    low = a - b - float(np.hypot(a - low_a, high_b - b))
    high = a - b + float(np.hypot(high_a - a, b - low_b))
    pooled = (right_a + right_b) / (total_a + total_b)
    error = np.sqrt(pooled * (1 - pooled) * (1 / total_a + 1 / total_b))
    p_value = float(2 * norm.sf(abs(a - b) / error)) if error else 1.0
    return Difference(a, b, low, high, p_value)


def unpaired_macro_f1(
    confusion_a: np.ndarray, confusion_b: np.ndarray, seed: int = 0, rounds: int = ROUNDS
) -> Difference:
    """Two macro F1 on different images, each confusion matrix (true, predicted) drawn again."""
    sides = []
    for place, confusion in enumerate((confusion_a, confusion_b)):
        matrix = np.asarray(confusion, dtype=np.int64)
        true, predicted = (part.ravel() for part in np.indices(matrix.shape))
        counts = matrix.ravel()
        if not counts.sum():
            raise ValueError("both sides need images, got an empty confusion matrix")
        rows = [
            _macro_f1(part, true, predicted, len(matrix))
            for part in _resampled(counts, (seed, place), rounds)
        ]
        seen = _macro_f1(counts[None], true, predicted, len(matrix))[0]
        sides.append((seen, np.concatenate(rows)))
    (seen_a, drawn_a), (seen_b, drawn_b) = sides
    return _from_rounds(seen_a, seen_b, drawn_a - drawn_b)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the order given: below LEVEL still means a difference,
    with at most a 5 % chance of even one false one among all comparisons."""
    values = np.asarray(p_values, dtype=float)
    if values.size and not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1, got {list(p_values)}")
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    adjusted = np.empty_like(values)
    adjusted[order] = stepped
    return adjusted.tolist()


def _same_length(*arrays: np.ndarray) -> None:
    lengths = [array.shape for array in arrays]
    if len(set(lengths)) > 1 or len(lengths[0]) != 1 or not lengths[0][0]:
        raise ValueError(f"one answer per image on both sides is needed, got shapes {lengths}")


def _resampled(counts: np.ndarray, seed: int | tuple[int, int], rounds: int) -> list[np.ndarray]:
    """counts (K,) drawn again `rounds` times: parts of int64 (R, K)."""
    generator = np.random.default_rng(seed)
    total = int(counts.sum())
    sizes = [min(_CHUNK, rounds - start) for start in range(0, rounds, _CHUNK)]
    return [generator.multinomial(total, counts / total, size=size) for size in sizes]


def _accuracy(drawn: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return drawn[:, true == predicted].sum(axis=1) / drawn.sum(axis=1)  # (R,)


def _macro_f1(
    drawn: np.ndarray, true: np.ndarray, predicted: np.ndarray, classes: int
) -> np.ndarray:
    """counts (R, K) of cells with these labels and predictions → macro F1 (R,)."""
    is_true = np.equal.outer(true, np.arange(classes))  # (K, classes)
    is_predicted = np.equal.outer(predicted, np.arange(classes))
    drawn = drawn.astype(np.float64)  # exact up to 2**53, and quicker to multiply
    right = drawn @ (is_true & is_predicted)  # (R, classes)
    occurring = drawn @ is_true + drawn @ is_predicted
    f1 = np.divide(2 * right, occurring, out=np.zeros_like(right), where=occurring > 0)
    return f1.sum(axis=1) / np.maximum(1, (occurring > 0).sum(axis=1))


def _from_rounds(a: float, b: float, differences: np.ndarray) -> Difference:
    low, high = np.percentile(differences, [2.5, 97.5])
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    p_value = min(1.0, 2 * (tail + 1) / (len(differences) + 1))
    return Difference(float(a), float(b), float(low), float(high), float(p_value))
