"""Pixel-identical images: who is whose twin, and which images repeat one of another part."""

from __future__ import annotations

import hashlib

import numpy as np


def twin_keys(images: np.ndarray) -> np.ndarray:
    """str (N,): equal exactly where uint8 images (N, H, W, C) are pixel-identical."""
    keys = (hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()[:32] for image in images)
    return np.array(list(keys), dtype="U32")


def has_twin_in(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """bool (N,): which of `images` stand pixel for pixel among `others`, both (·, H, W, C)."""
    return np.isin(twin_keys(images), twin_keys(others))


def twin_groups(images: np.ndarray) -> list[np.ndarray]:
    """Which images are one picture: int64 (≥ 2,) ascending for each that occurs more than once.

    images: uint8 (N, H, W, C). In the order in which the pictures first occur.
    """
    numbers = np.unique(twin_keys(images), return_inverse=True)[1]
    order = np.argsort(numbers, kind="stable").astype(np.int64)
    groups = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
    return sorted((group for group in groups if len(group) > 1), key=lambda group: group[0])
