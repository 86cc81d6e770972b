"""From a RunConfig to what a run sees: faces, split, class names, preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fer_core.data.audit import repeated_rows
from fer_core.data.faces import SPLIT_NAMES, UNLABELLED, DataError, Faces
from fer_core.data.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from fer_core.data.readers import read_faces
from fer_core.data.split import Split, SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.labels import canonical_name
from fer_core.runs.config import RunConfig


@dataclass(frozen=True)
class RunData:
    """faces: as read, labels of classes left out replaced by UNLABELLED; split: what is used."""

    faces: Faces
    split: Split
    preprocessing: Preprocessing

    def describe(self) -> dict[str, Any]:
        """Keys source, name, fingerprint, class_names, counts {split: {class: images}}."""
        counts = {}
        for part in SPLIT_NAMES:
            labels = self.faces.labels[getattr(self.split, part)]
            found = np.bincount(labels, minlength=len(self.faces.class_names))
            counts[part] = dict(zip(self.faces.class_names, map(int, found), strict=True))
        return {
            "source": self.faces.source,
            "name": self.faces.name,
            "fingerprint": self.faces.fingerprint,
            "class_names": list(self.faces.class_names),
            "counts": counts,
        }

    def with_twin(self, indices: np.ndarray) -> np.ndarray:
        """bool (M,): which of these images have a pixel-identical twin in training."""
        return has_twin_in(self.faces.images[indices], self.faces.images[self.split.train])


def load_run_data(config: RunConfig, progress: Callable[[int, int], None] | None = None) -> RunData:
    """Read, leave out classes and duplicates as the config asks, and split."""
    faces = read_run_faces(config, progress)
    split = split_faces(faces, split_plan(config))
    if len(split.train) < 2 or not len(split.validation):
        raise DataError(
            f"training needs images to learn from and to validate on, got {len(split.train)} and "
            f"{len(split.validation)} in {faces.name}; choose another split or set"
        )
    return RunData(faces, split, _preprocessing(config, faces, split))


def read_run_faces(config: RunConfig, progress: Callable[[int, int], None] | None = None) -> Faces:
    """The set as a run sees it; labels of images that the config leaves out are UNLABELLED."""
    faces = read_faces(config.data, image_size=config.image_size, progress=progress)
    faces = without_classes(faces, config.classes_left_out)
    return without_duplicates(faces) if config.drop_duplicates else faces


def split_plan(config: RunConfig) -> SplitPlan:
    return SplitPlan(
        kind=config.split,
        validation_share=config.validation_share,
        test_share=config.test_share,
        seed=config.split_seed,
    )


def without_classes(faces: Faces, left_out: tuple[str, ...]) -> Faces:
    """The same images with the named classes unlabelled and gone from the class names."""
    if not left_out:
        return faces
    gone = {canonical_name(name) for name in left_out}
    unknown = gone - set(faces.class_names)
    if unknown:
        raise DataError(
            f"classes to leave out must be in the set, got {sorted(unknown)}; it has "
            f"{', '.join(faces.class_names)}"
        )
    kept = tuple(name for name in faces.class_names if name not in gone)
    if len(kept) < 2:
        raise DataError(f"at least two classes must stay, got {list(kept)}")
    renumbered = np.array([kept.index(n) if n in kept else UNLABELLED for n in faces.class_names])
    labels = np.where(faces.labels >= 0, renumbered[faces.labels], UNLABELLED)
    return replace(faces, labels=labels, class_names=kept, fingerprint="")


def without_duplicates(faces: Faces) -> Faces:
    """The same images with every repeat of an earlier row (pixels, label, split) unlabelled."""
    labels = np.where(repeated_rows(faces), UNLABELLED, faces.labels)
    return replace(faces, labels=labels, fingerprint="")


def _preprocessing(config: RunConfig, faces: Faces, split: Split) -> Preprocessing:
    size, channels = config.image_size, config.channels
    if config.scaling == "minus_one_to_one":
        return Preprocessing(size, channels, (0.5,), (0.5,))
    if config.scaling == "imagenet":
        if channels == 3:
            return Preprocessing(size, channels, IMAGENET_MEAN, IMAGENET_STD)
        return Preprocessing(size, 1, (0.449,), (0.226,))  # the means of the three channels
    # A sample of 5,000 training images fixes both moments to three digits.
    sample = np.random.default_rng(0).permutation(split.train)[:5000]
    unit = faces.images[np.sort(sample)].astype(np.float64) / 255
    axes = (0, 1, 2) if unit.shape[3] == channels else None
    mean, std = np.atleast_1d(unit.mean(axis=axes)), np.atleast_1d(unit.std(axis=axes))
    return Preprocessing(size, channels, tuple(mean), tuple(np.maximum(std, 1e-3)))
