"""A checkpoint's probabilities for chosen images, batch by batch, so that a caller can show them.

The caller may leave off after any batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer_core.data.faces import Faces
from fer_core.runs.checkpoint import Checkpoint

BATCH = 128


def probability_batches(
    checkpoint: Checkpoint, faces: Faces, indices: np.ndarray, batch_size: int = BATCH
) -> Iterator[tuple[int, np.ndarray]]:
    """(images done, probabilities float (B, classes)) in the order of `indices` int (N,)."""
    for start in range(0, len(indices), batch_size):
        chosen = indices[start : start + batch_size]
        images = np.asarray(faces.images[chosen])  # (B, H, W, C)
        yield start + len(chosen), checkpoint.probabilities(images)
