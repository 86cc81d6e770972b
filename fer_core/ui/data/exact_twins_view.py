"""Exact twins in the Data tab, picture by picture. Knows no Gradio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from fer_core.data.faces import HELD_OUT, UNLABELLED, Faces
from fer_core.data.split import Split
from fer_core.labels import colour
from fer_core.ui.shared.face_grid import GridFace, face_grid

PICTURES = 24
ANY, LABELS, PARTS = "any", "labels", "parts"
KINDS = (
    ("all of them", ANY),
    ("under different labels", LABELS),
    ("in training and in another part", PARTS),
)


def exact_twins_html(
    faces: Faces, split: Split, groups: Sequence[np.ndarray], kind: str = ANY, seed: int = 0
) -> str:
    """A draw of the pictures that occur more than once, each with its labels and parts.

    groups: what `twin_groups` found. kind: of `KINDS`.
    """
    if not groups:
        return '<p class="note">No picture of this set occurs more than once.</p>'
    parts = split.names(len(faces))
    wanted = [group for group in groups if _is(kind, faces, parts, group)]
    order = np.random.default_rng(seed).permutation(len(wanted))[:PICTURES]
    grid = face_grid(
        [_picture(faces, parts, wanted[place]) for place in order], "No picture of this kind."
    )
    count = f"{len(wanted):,} of the {len(groups):,} pictures that occur more than once"
    which = f"{count}; a draw of {len(order)}." if len(order) < len(wanted) else f"{count}."
    return f'<p class="note">{which}</p>{grid}'


def _is(kind: str, faces: Faces, parts: np.ndarray, group: np.ndarray) -> bool:
    if kind == LABELS:
        labels = faces.labels[group]
        return len(np.unique(labels[labels != UNLABELLED])) > 1
    if kind == PARTS:
        there = set(parts[group])
        return "train" in there and bool(there & set(HELD_OUT))
    return True


def _picture(faces: Faces, parts: np.ndarray, group: np.ndarray) -> GridFace:
    labels = _counted(_label(faces, int(label)) for label in faces.labels[group])
    first = _label(faces, int(faces.labels[group[0]]))
    return GridFace(
        faces.images[group[0]],
        " | ".join(labels),
        " · ".join(_counted(part or "in no part" for part in parts[group])),
        colour(first) if len(labels) == 1 and first in faces.class_names else "",
        f"a face that occurs {len(group)} times, labelled {' and '.join(labels)}",
    )


def _counted(names: Iterable[str]) -> list[str]:
    """Each name once, in order of coming, with how often where that is more than once."""
    counts = Counter(map(str, names))
    return [name if count == 1 else f"{name} ×{count}" for name, count in counts.items()]


def _label(faces: Faces, label: int) -> str:
    return "unlabelled" if label == UNLABELLED else faces.class_names[label]
