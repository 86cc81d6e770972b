"""Scores agree with scikit-learn and with values worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from fer_core.training.metrics import full_report, score, wilson_interval


def _predictions() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.dirichlet(np.ones(4), 200), random.integers(0, 4, 200)


def test_scores_are_scikit_learns_to_the_digit() -> None:
    probabilities, labels = _predictions()
    predicted = probabilities.argmax(axis=1)
    scores = score(probabilities, labels)
    assert scores["accuracy"] == accuracy_score(labels, predicted)
    assert scores["macro_f1"] == f1_score(labels, predicted, average="macro")
    assert scores["weighted_f1"] == f1_score(labels, predicted, average="weighted")
    assert scores["n"] == 200


def test_the_confusion_matrix_has_true_classes_as_rows() -> None:
    probabilities = np.eye(3)[[0, 1, 1, 2]]
    report = full_report(probabilities, np.array([0, 0, 1, 2]), ("a", "b", "c"))
    assert report["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert report["per_class"][0]["recall"] == 0.5
    assert report["per_class"][1]["precision"] == 0.5
    assert sum(row["support"] for row in report["per_class"]) == 4


def test_a_class_that_never_occurs_is_listed_with_zero() -> None:
    report = full_report(np.eye(3)[[0, 1]], np.array([0, 1]), ("a", "b", "c"))
    assert report["per_class"][2]["support"] == 0


def test_the_interval_is_wilsons() -> None:
    low, high = wilson_interval(50, 100)  # worked out from the formula by hand
    assert low == pytest.approx(0.40383, abs=1e-5)
    assert high == pytest.approx(0.59617, abs=1e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(10, 10)[1] == 1.0
