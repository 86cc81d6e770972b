"""`Faces`, the one value type of the project: images, labels, ids, the source's split, class names.

Made by `readers` or `synthetic`; everything downstream takes it and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

UNLABELLED = -1
SPLIT_NAMES = ("train", "validation", "test")
#: The parts that nothing learns from.
HELD_OUT = SPLIT_NAMES[1:]

#: How rows are numbered in `Faces.ids` and `Unreadable.where`, for whoever looks one up in a file.
ROWS_COUNTED = "rows count from 0, without the header"


class DataError(ValueError):
    """Data that cannot be used. The message says what was wrong, what was got and what to do."""


@dataclass(frozen=True)
class Unreadable:
    """One row or file of the source that could not be read.

    where: "row N", counted as `ROWS_COUNTED` says, or a path inside the source.
    """

    where: str
    reason: str


@dataclass(frozen=True)
class Faces:
    """A set of face images of one size.

    images: uint8 (N, H, W, C) with C 1 or 3, possibly memory-mapped and read-only.
    labels: int64 (N,), an index into `class_names`, or UNLABELLED (-1).
    ids: str (N,), where each image came from (a row number or a path inside the source).
    source_split: str (N,) of "train", "validation", "test", or None when the source has no split.
    name: what to call the set on the page; source: what reads it again.
    fingerprint: hex digest of images, labels and class names; the same content has the same one.
    unreadable: what was left out, with the reason.
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]
    source_split: np.ndarray | None = None
    name: str = "faces"
    source: str = ""
    fingerprint: str = ""
    unreadable: tuple[Unreadable, ...] = field(default=())

    def __post_init__(self) -> None:
        if (
            self.images.ndim != 4
            or self.images.shape[3] not in (1, 3)
            or self.images.dtype != np.uint8
        ):
            got = f"{self.images.dtype} {self.images.shape}"
            raise DataError(f"images must be uint8 (N, H, W, 1 or 3), got {got}")
        count = len(self.images)
        labels = np.asarray(self.labels, dtype=np.int64)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "class_names", tuple(self.class_names))
        for what, array in (("labels", labels), ("ids", self.ids), ("split", self.source_split)):
            if array is not None and len(array) != count:
                raise DataError(f"{what} must have one entry per image ({count}), got {len(array)}")
        if count and (labels.min() < UNLABELLED or labels.max() >= len(self.class_names)):
            got = f"{labels.min()} to {labels.max()}"
            raise DataError(f"labels must be -1 to {len(self.class_names) - 1}, got {got}")
        if self.source_split is not None:
            unknown = set(np.unique(self.source_split)) - set(SPLIT_NAMES)
            if unknown:
                raise DataError(f"split must be one of {SPLIT_NAMES}, got {sorted(unknown)}")
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", content_fingerprint(self))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def channels(self) -> int:
        return self.images.shape[3]

    @property
    def labelled(self) -> bool:
        return bool(len(self)) and bool((self.labels >= 0).any())

    def counts(self) -> dict[str, int]:
        """Images per class, in class order, classes without images included."""
        found = np.bincount(self.labels[self.labels >= 0], minlength=len(self.class_names))
        return {name: int(count) for name, count in zip(self.class_names, found, strict=True)}

    def subset(self, indices: np.ndarray | slice) -> Faces:
        """The faces at `indices` (int (M,), or a slice, which copies no picture), in that order,
        with a fingerprint of their own."""
        split = None if self.source_split is None else self.source_split[indices]
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            ids=self.ids[indices],
            source_split=split,
            fingerprint="",
            unreadable=(),
        )


def content_fingerprint(faces: Faces) -> str:
    """32 hex digits over class names, shape, images, labels and the source's split."""
    digest = hashlib.sha256()
    digest.update(repr((faces.class_names, faces.images.shape)).encode())
    for start in range(0, len(faces.images), 4096):  # a memory-mapped set need not fit in memory
        digest.update(np.ascontiguousarray(faces.images[start : start + 4096]).data)
    digest.update(np.ascontiguousarray(faces.labels).data)
    if faces.source_split is not None:
        digest.update("\n".join(map(str, faces.source_split)).encode())
    return digest.hexdigest()[:32]
