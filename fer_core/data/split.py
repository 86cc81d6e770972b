"""Which images train, which choose the epoch, which are scored once: `SplitPlan` → `Split`.

The source's own split where there is one, or a stratified draw. Unlabelled images are in no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from fer_core.data.faces import SPLIT_NAMES, DataError, Faces

KINDS = ("source", "own_validation", "stratified")


@dataclass(frozen=True)
class SplitPlan:
    """How to split.

    kind: "source" keeps the source's own parts and cuts the missing ones from its training images;
    a source without any is split as by "stratified". "own_validation" is the same, but the
    validation images are always cut from the source's training images, and those that it brings
    are not used. "stratified" ignores the source's own parts.
    test_share: of all labelled images, or of the training images where the source has its own
    validation images, 0 to 0.95. validation_share: of the images that are not test, 0 to 0.95;
    of the training images where the source has its own test images. seed: of the draw.
    """

    kind: str = "source"
    validation_share: float = 0.1
    test_share: float = 0.2
    seed: int = 42

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"the split must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for name in ("validation_share", "test_share"):
            share = getattr(self, name)
            if not (math.isfinite(share) and 0 <= share <= 0.95):
                raise DataError(f"{name} must be 0 to 0.95, got {share}; try 0.1")


@dataclass(frozen=True)
class Split:
    """Indices into the set, int64, ascending; no image is in two parts."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def parts(self) -> dict[str, np.ndarray]:
        """The three parts by name, in the order train, validation, test."""
        return {name: getattr(self, name) for name in SPLIT_NAMES}

    def names(self, count: int) -> np.ndarray:
        """str (count,): the part of each image, "" for one that is in none."""
        result = np.full(count, "", dtype="<U10")
        for name, indices in self.parts().items():
            result[indices] = name
        return result


def split_faces(faces: Faces, plan: SplitPlan) -> Split:
    """Split the labelled images of a set as `plan` says.

    The draw is scikit-learn's stratified `train_test_split` (test first, then validation from the
    rest, both with `plan.seed`), so the sizes and the images are those of reports that used it.
    Pixel-identical images are not kept together: `audit_faces` counts those that end up in two
    parts. Raises DataError when there is nothing to split or a class is too small.
    """
    labelled = np.flatnonzero(faces.labels >= 0).astype(np.int64)
    if not len(labelled):
        raise DataError(
            "the set has no labelled image, so there is nothing to train on or to score"
        )
    if plan.kind == "stratified" or faces.source_split is None:
        train, test = _cut(faces, labelled, plan.test_share, plan.seed, "test")
        train, validation = _cut(faces, train, plan.validation_share, plan.seed, "validation")
        return _made(train, validation, test)
    own = np.asarray(faces.source_split)[labelled]
    train, validation, test = (labelled[own == name] for name in SPLIT_NAMES)
    if plan.kind == "own_validation":
        validation = validation[:0]
    if not len(train):
        raise DataError(
            "the source's own split has no training images; choose the stratified split instead"
        )
    if not len(test):
        train, test = _cut(faces, train, plan.test_share, plan.seed, "test")
    if not len(validation):
        train, validation = _cut(faces, train, plan.validation_share, plan.seed, "validation")
    return _made(train, validation, test)


def _made(train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> Split:
    return Split(*(np.sort(part).astype(np.int64) for part in (train, validation, test)))


def _cut(
    faces: Faces, indices: np.ndarray, share: float, seed: int, part: str
) -> tuple[np.ndarray, np.ndarray]:
    """`indices` without, and only, a stratified share of them, rounded up; one image per class is
    the least."""
    if share == 0:
        return indices, np.empty(0, dtype=np.int64)
    labels = faces.labels[indices]
    present, counts = np.unique(labels, return_counts=True)
    smallest = counts.argmin()
    if counts[smallest] < 2:
        name = faces.class_names[present[smallest]]
        raise DataError(
            f"class {name!r} has only one image left to draw the {part} part from; "
            "add images, leave the class out, or set the share to 0"
        )
    cut = max(math.ceil(share * len(indices)), len(present))
    if len(indices) - cut < len(present):
        raise DataError(
            f"a {part} share of {share:g} of {len(indices)} images leaves fewer than one image for "
            f"each of the {len(present)} classes to train on; lower the share or add images"
        )
    kept, taken = train_test_split(indices, test_size=cut, stratify=labels, random_state=seed)
    return kept, taken
