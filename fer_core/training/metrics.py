"""Scores of predictions: accuracy with its interval, F1, per-class report, confusion matrix.

All of them come from scikit-learn on the stored probabilities, so they can be checked again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support


def wilson_interval(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), as fractions; (0, 1) when there is nothing."""
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    bottom = 1 + z * z / total
    low, high = (centre - spread) / bottom, (centre + spread) / bottom
    return (0.0 if correct == 0 else low), (1.0 if correct == total else high)  # exact at the ends


#: Bins of equal width over the confidence, in which `calibration_error` compares.
CALIBRATION_BINS = 15


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error, a fraction: by how much confidence and accuracy differ, averaged
    over the images (Guo et al., arXiv 1706.04599; 15 bins).

    probabilities: float (N, classes); labels: int (N,). 0 without images.
    """
    confidence = probabilities.max(axis=1, initial=0).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS) - 1, 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins.astype(np.int64), weights=confidence - right)
    return float(np.abs(gaps).sum() / max(1, len(labels)))


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Headline scores.

    probabilities: float (N, classes); labels: int (N,). Returns accuracy (fraction), interval,
    macro_f1, weighted_f1, loss (mean negative log likelihood), calibration_error and n. Macro F1
    averages over the classes that occur as a label or a prediction.
    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    picked = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {
        "accuracy": correct / max(1, len(labels)),
        "interval": list(wilson_interval(correct, len(labels))),
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        "weighted_f1": float(f1_score(labels, predicted, average="weighted", zero_division=0)),
        "loss": float(-np.log(np.clip(picked, 1e-12, None)).mean()),
        "calibration_error": calibration_error(probabilities, labels),
        "n": len(labels),
    }


def full_report(
    probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """`score` and, beside it, per_class (precision, recall, f1, support) and confusion.

    confusion: rows are true classes, columns predicted ones, in the order of `class_names`.
    """
    predicted = probabilities.argmax(axis=1)
    order = np.arange(len(class_names))
    columns = precision_recall_fscore_support(labels, predicted, labels=order, zero_division=0)
    per_class = [
        {
            "class": name,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(class_names, *columns, strict=True)
    ]
    confusion = confusion_matrix(labels, predicted, labels=order).tolist()
    return {**score(probabilities, labels), "per_class": per_class, "confusion": confusion}
