"""What a set holds: counts, shares, twins, leaks between parts, conflicting labels, mean faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_core.data.faces import HELD_OUT, SPLIT_NAMES, UNLABELLED, Faces
from fer_core.data.split import Split
from fer_core.data.twins import twin_keys

_LISTED = 20
_BLOCK = 2048


@dataclass(frozen=True)
class Audit:
    """Facts about a set. Twins are pixel-identical images.

    image_size: (height, width) in pixels. shares: of the labelled images, 0 to 1. imbalance_ratio:
    images of the largest class per image of the smallest one that has any. counts_per_split: only
    of the labelled images, empty when there is no split. unreadable_listed: (where, reason).
    twin_groups: groups of two or more twins. duplicate_images: images that repeat an earlier one.
    full_row_duplicates: images that repeat an earlier one with the same label and the same part of
    the source's own split. twins_across_splits: images of that part with a twin in train.
    conflicting_groups: twin groups whose labels differ, unlabelled images aside.
    """

    name: str
    images: int
    image_size: tuple[int, int]
    channels: int
    classes: tuple[str, ...]
    counts: dict[str, int]
    counts_per_split: dict[str, dict[str, int]]
    shares: dict[str, float]
    imbalance_ratio: float
    unlabelled: int
    unreadable: int
    unreadable_listed: tuple[tuple[str, str], ...]
    twin_groups: int
    duplicate_images: int
    full_row_duplicates: int
    twins_across_splits: dict[str, int]
    conflicting_groups: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON under these keys:

        name, images, image_size [height, width], channels, classes [name], counts {class: n},
        counts_per_split {split: {class: n}}, shares {class: 0-1}, imbalance_ratio, unlabelled,
        unreadable (their number), unreadable_listed [[where, reason]] (the first 20), twin_groups,
        duplicate_images, full_row_duplicates, twins_across_splits {"validation": n, "test": n},
        conflicting_groups. What each means stands at the class.
        """
        values = asdict(self)
        for key in ("image_size", "classes"):
            values[key] = list(values[key])
        values["unreadable_listed"] = [list(item) for item in self.unreadable_listed]
        return values


def audit_faces(faces: Faces, split: Split | None = None) -> Audit:
    """Count everything about a set; `split` None takes the source's own split, if it has one.

    Reads every image once, one at a time.
    """
    parts = _parts(faces, split)
    counts = faces.counts()
    present = [count for count in counts.values() if count]
    groups = _groups(twin_keys(faces.images))  # (N,) the number of each image's twin group
    sizes = np.bincount(groups)
    return Audit(
        name=faces.name,
        images=len(faces),
        image_size=faces.image_size,
        channels=faces.channels,
        classes=faces.class_names,
        counts=counts,
        counts_per_split={name: _counts(faces, part) for name, part in parts.items()},
        shares={name: count / max(1, sum(present)) for name, count in counts.items()},
        imbalance_ratio=max(present) / min(present) if present else 0.0,
        unlabelled=int((faces.labels == UNLABELLED).sum()),
        unreadable=len(faces.unreadable),
        unreadable_listed=tuple((item.where, item.reason) for item in faces.unreadable[:_LISTED]),
        twin_groups=int((sizes > 1).sum()),
        duplicate_images=len(faces) - len(sizes),
        full_row_duplicates=int(_repeated(faces, groups).sum()),
        twins_across_splits=_across(groups, parts),
        conflicting_groups=_conflicting(groups, faces.labels),
    )


def repeated_rows(faces: Faces) -> np.ndarray:
    """bool (N,): which images repeat an earlier one with the same label and source split.

    These are the "full-row duplicates" of a csv; taking them out leaves one of each.
    """
    return _repeated(faces, _groups(twin_keys(faces.images)))


def mean_faces(faces: Faces) -> np.ndarray:
    """The mean image of every class, uint8 (classes, H, W, C); black for a class without images."""
    shape = (len(faces.class_names), *faces.images.shape[1:])
    sums = np.zeros(shape)
    for start in range(0, len(faces), _BLOCK):  # a memory-mapped set need not fit in memory
        images = faces.images[start : start + _BLOCK]
        labels = faces.labels[start : start + _BLOCK]
        for label in np.unique(labels[labels >= 0]):
            sums[label] += images[labels == label].sum(axis=0, dtype=np.float64)
    counts = np.bincount(faces.labels[faces.labels >= 0], minlength=len(sums))
    means = sums / np.maximum(counts, 1).reshape(-1, 1, 1, 1)
    return np.rint(means).astype(np.uint8)


def _parts(faces: Faces, split: Split | None) -> dict[str, np.ndarray]:
    """Indices by part, in the order train, validation, test; empty without any split."""
    if split is not None:
        return split.parts()
    if faces.source_split is None:
        return {}
    return {name: np.flatnonzero(faces.source_split == name) for name in SPLIT_NAMES}


def _counts(faces: Faces, indices: np.ndarray) -> dict[str, int]:
    labels = faces.labels[indices]
    found = np.bincount(labels[labels >= 0], minlength=len(faces.class_names))
    return {name: int(count) for name, count in zip(faces.class_names, found, strict=True)}


def _groups(keys: np.ndarray) -> np.ndarray:
    """int64 (N,): the same number exactly where the keys are the same, from 0 without gaps."""
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _repeated(faces: Faces, groups: np.ndarray) -> np.ndarray:
    columns = [groups, faces.labels]
    if faces.source_split is not None:
        columns.append(np.unique(faces.source_split, return_inverse=True)[1])
    rows = np.stack(columns, axis=1)  # (N, 2 or 3)
    repeated = np.ones(len(rows), dtype=bool)
    repeated[np.unique(rows, axis=0, return_index=True)[1]] = False
    return repeated


def _across(groups: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, int]:
    if not parts:
        return dict.fromkeys(HELD_OUT, 0)
    train = groups[parts["train"]]
    return {name: int(np.isin(groups[parts[name]], train).sum()) for name in HELD_OUT}


def _conflicting(groups: np.ndarray, labels: np.ndarray) -> int:
    labelled = labels >= 0
    pairs = np.unique(np.stack([groups[labelled], labels[labelled]], axis=1), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum()) if len(pairs) else 0
