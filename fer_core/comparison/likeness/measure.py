"""How like the faces of a part are to the training faces, and who is right about which of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fer_core.comparison.peers.measure import Peer, SharedFaces
from fer_core.data.faces import Faces
from fer_core.data.near_twins import NEAR, most_alike
from fer_core.runs.checkpoint import Checkpoint
from fer_core.training.evaluation import part_of, run_config

#: Where one band of likeness ends and the next begins; NEAR is one of them.
EDGES = (0.8, NEAR, 0.95, 0.99)


@dataclass(frozen=True)
class Resemblance:
    """Per face of a part, in its order: likeness float32 (N,) to the most alike training face,
    and whether that one has the same label, bool (N,)."""

    likeness: np.ndarray
    same_label: np.ndarray


@dataclass(frozen=True)
class Band:
    """Faces whose likeness is at least `low` and below `high`. count: how many. same_label: share
    of them whose most alike training face has their label. right: by system, the share named
    rightly; None without faces."""

    low: float
    high: float
    count: int
    same_label: float | None
    right: tuple[float | None, ...]


def resemblance(
    faces: Faces,
    checkpoint: Checkpoint,
    part: str,
    progress: Callable[[int, int], None] | None = None,
) -> Resemblance:
    """The part of the set that the checkpoint did not learn from beside the part that it did."""
    rows, train, _ = part_of(faces, run_config(checkpoint), checkpoint.class_names, part)
    found = most_alike(faces.images[rows], faces.images[train], progress)
    same = np.zeros(len(rows), dtype=bool)
    known = found.row >= 0
    same[known] = faces.labels[train][found.row[known]] == faces.labels[rows][known]
    return Resemblance(found.likeness, same)


def bands(found: Resemblance, peers: Sequence[Peer], faces: SharedFaces) -> list[Band]:
    """The bands between EDGES, then all faces, then those without a near twin."""
    right = [peer.probabilities.argmax(axis=1) == faces.labels for peer in peers]
    borders = (-1.0, *EDGES, np.inf)
    ranges = [*pairwise(borders), (-1.0, np.inf), (-1.0, NEAR)]
    return [_band(low, high, found, right) for low, high in ranges]


def _band(low: float, high: float, found: Resemblance, right: Sequence[np.ndarray]) -> Band:
    inside = (found.likeness >= low) & (found.likeness < high)
    count = int(inside.sum())

    def share(hits: np.ndarray) -> float | None:
        return float(hits[inside].mean()) if count else None

    return Band(low, high, count, share(found.same_label), tuple(share(hits) for hits in right))
