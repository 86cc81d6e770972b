"""Answers of finished runs to the same 600 images, for the tests of verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fer_core.comparison.budgets.verdict import Comparison, compare_runs
from fer_core.paths import RunFolder

NAMES = ("angry", "happy", "sad")
N = 600
LABELS = np.random.default_rng(0).integers(0, 3, N)
MakeRun = Callable[..., RunFolder]


def answers(right: float, seed: int) -> np.ndarray:
    """Right for this share of the images; nearly the same images for every seed."""
    random = np.random.default_rng(99)
    hard = random.random(N) + np.random.default_rng(seed).normal(0, 0.05, N)
    return np.where(hard < right, LABELS, (LABELS + 1) % 3)


def compare(*folders: RunFolder, **budget: Any) -> Comparison:
    return compare_runs({folder.name: folder for folder in folders}, **budget)
