"""Answers to unequal classes: weights for the loss, and a draw of indices that evens them out."""

from __future__ import annotations

import numpy as np


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """float32 (classes,): inverse frequency, scaled to average 1 over the images.

    A class without images gets 0, since nothing can be weighted.
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights.astype(np.float32)


def balanced_order(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """int64 (N,): as many positions as there are images, every class equally likely.

    Rare classes repeat; each class is dealt without replacement until it runs out.
    """
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    share = -(-len(labels) // len(members))
    picked = []
    for group in members:
        rounds = [random.permutation(group) for _ in range(-(-share // len(group)))]
        picked.append(np.concatenate(rounds)[:share])
    return random.permutation(np.concatenate(picked))[: len(labels)]
