"""From a RunConfig to what a run sees: faces, split, class names, preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fer_core.data.audit import repeated_rows
from fer_core.data.faces import SPLIT_NAMES, UNLABELLED, DataError, Faces
from fer_core.data.prepare import prepare_training
from fer_core.data.preprocess import IMAGENET_MEAN, IMAGENET_STD, PixelScaler, Preprocessing
from fer_core.data.readers import read_faces
from fer_core.data.split import Split, SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.data.views import Views, read_views
from fer_core.labels import canonical_name, ordered_classes
from fer_core.runs.checkpoint import read_start
from fer_core.runs.config import RunConfig


@dataclass(frozen=True)
class RunData:
    """faces: as read, labels of classes left out replaced by UNLABELLED; split: what is used.

    inherited: {part: held-out images that the run's start or a teacher learned from}.
    """

    faces: Faces
    split: Split
    preprocessing: Preprocessing
    inherited: Mapping[str, int] = field(default_factory=dict)

    @property
    def test_drawn(self) -> bool:
        """Whether the test images were drawn from the set, which has no test part of its own or is
        not asked for it."""
        own = self.faces.source_split
        return own is None or bool(np.any(own[self.split.test] != "test"))

    def describe(
        self,
        preparations: Mapping[int, Sequence[tuple[str, int]]] | None = None,
        views: Views | None = None,
    ) -> dict[str, Any]:
        """Keys source, name, fingerprint, class_names, counts {split: {class: images}}, test_drawn,
        inherited {part: images}, preparations {phase: [[step, rows after it]]} and views {count,
        fingerprint} where there are any."""
        counts = {}
        for part in SPLIT_NAMES:
            labels = self.faces.labels[getattr(self.split, part)]
            found = np.bincount(labels, minlength=len(self.faces.class_names))
            counts[part] = dict(zip(self.faces.class_names, map(int, found), strict=True))
        facts: dict[str, Any] = {
            "source": self.faces.source,
            "name": self.faces.name,
            "fingerprint": self.faces.fingerprint,
            "class_names": list(self.faces.class_names),
            "counts": counts,
            "test_drawn": self.test_drawn,
        }
        if self.inherited:
            facts["inherited"] = dict(self.inherited)
        if preparations:
            facts["preparations"] = {
                str(phase): [list(row) for row in rows] for phase, rows in preparations.items()
            }
        if views is not None:
            facts["views"] = {"count": len(views), "fingerprint": views.fingerprint}
        return facts

    def with_twin(self, indices: np.ndarray) -> np.ndarray:
        """bool (M,): which of these images have a pixel-identical twin in training."""
        return has_twin_in(self.faces.images[indices], self.faces.images[self.split.train])


def load_run_data(config: RunConfig, progress: Callable[[int, int], None] | None = None) -> RunData:
    """Read, leave out classes and duplicates as the config asks, and split."""
    faces = read_run_faces(config, progress)
    split = run_split(faces, config)
    if len(split.train) < 2 or not len(split.validation):
        raise DataError(
            f"training needs images to learn from and to validate on, got {len(split.train)} and "
            f"{len(split.validation)} in {faces.name}; choose another split or set"
        )
    return RunData(faces, split, _preprocessing(config, faces, split))


def prepare_part(
    config: RunConfig, data: RunData, progress: Callable[[int, int], None] | None = None
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, int], ...]]:
    """The training part after the config's offline preparation.

    Returns images uint8 (M, H, W, C), labels int64 (M,) and the rows after every step. DataError
    where the steps leave too few images to learn from.
    """
    images, labels = data.faces.images[data.split.train], data.faces.labels[data.split.train]
    if not config.preparation:
        return images, labels, ()
    names = data.faces.class_names
    made = prepare_training(images, labels, names, config.preparation, config.seed, progress)
    if len(made.labels) < 2:
        raise DataError(
            f"training needs at least two images, and of {len(labels):,} the preparation "
            f"({', '.join(config.preparation)}) leaves {len(made.labels)}; use less of it"
        )
    return made.images, made.labels, made.rows


def part_views(config: RunConfig, data: RunData) -> Views | None:
    """Other views of the training part, where the config names a file of them."""
    return views_of(config.views, data.faces, data.split.train) if config.views else None


def views_of(path: str, faces: Faces, train: np.ndarray) -> Views:
    """The views in a file of the images at `train` (int (N,)); DataError where it has none."""
    views = read_views(path, faces).of_part(train)
    if not len(views):
        raise DataError(f"{path} has no view of a training image of {faces.name}")
    return views


def read_run_faces(
    config: RunConfig,
    progress: Callable[[int, int], None] | None = None,
    known: Sequence[str] | None = None,
) -> Faces:
    """The set as a run sees it; labels of images that the config leaves out are UNLABELLED.

    known: see `as_run_faces`.
    """
    faces = read_faces(config.data, image_size=config.image_size, progress=progress)
    return as_run_faces(faces, config, known)


def as_run_faces(faces: Faces, config: RunConfig, known: Sequence[str] | None = None) -> Faces:
    """A set as it was read → as a run of this configuration sees it, with its fingerprint.

    known: the classes of the checkpoint that the run starts from, where they are known already:
    that of a shipped model is not shipped with it.
    """
    faces = without_classes(faces, config.classes_left_out)
    if not config.start_from:
        known = None
    elif known is None:
        known = read_start(config.start_from)["class_names"]
    faces = with_class_map(faces, config.class_map, known)
    return without_duplicates(faces) if config.drop_duplicates else faces


def run_split(faces: Faces, config: RunConfig) -> Split:
    """The parts that a run of this configuration uses of a set as it sees it (`as_run_faces`)."""
    split = split_faces(faces, split_plan(config))
    return replace(split, train=_used_share(faces, split.train, config))


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


def with_class_map(
    faces: Faces, class_map: Mapping[str, str], known: Sequence[str] | None = None
) -> Faces:
    """The same images with classes renamed or merged; what has no place any more is unlabelled.

    class_map: class of the set → new name, "" to leave it out; a class that it does not name keeps
    its own. known: the class names, in their order, that the result must have; None takes those
    that remain.
    """
    if not class_map and known is None:
        return faces
    wanted = {canonical_name(name): canonical_name(new or "") for name, new in class_map.items()}
    unknown = set(wanted) - set(faces.class_names)
    if unknown:
        raise DataError(
            f"classes to map must be in the set, got {sorted(unknown)}; it has "
            f"{', '.join(faces.class_names)}"
        )
    renamed = [wanted.get(name, name) for name in faces.class_names]
    names = tuple(known) if known else ordered_classes(name for name in renamed if name)
    present = {name for name in renamed if name in names}
    if len(present) < 2:
        raise DataError(
            f"at least two classes must be left, got {sorted(present)} of {', '.join(names)}; "
            f"the set has {', '.join(faces.class_names)}: map them with class_map"
        )
    numbers = np.array([names.index(name) if name in names else UNLABELLED for name in renamed])
    labels = np.where(faces.labels >= 0, numbers[faces.labels], UNLABELLED)
    return replace(faces, labels=labels, class_names=names, fingerprint="")


def _used_share(faces: Faces, train: np.ndarray, config: RunConfig) -> np.ndarray:
    """The stratified share of the training part that the run uses, at least one of each class."""
    if config.train_share >= 1:
        return train
    random = np.random.default_rng(config.split_seed)
    labels = faces.labels[train]
    kept = []
    for label in np.unique(labels):
        members = train[labels == label]
        count = max(1, round(config.train_share * len(members)))
        kept.append(random.permutation(members)[:count])
    return np.sort(np.concatenate(kept))


def without_duplicates(faces: Faces) -> Faces:
    """The same images with every repeat of an earlier row (pixels, label, split) unlabelled."""
    labels = np.where(repeated_rows(faces), UNLABELLED, faces.labels)
    return replace(faces, labels=labels, fingerprint="")


def _preprocessing(config: RunConfig, faces: Faces, split: Split) -> Preprocessing:
    if config.start_from:
        return read_start(config.start_from)["preprocessing"]
    size, channels = config.image_size, config.channels
    if config.scaling == "zero_to_one":
        return Preprocessing(size, channels, (0.0,), (1.0,))
    if config.scaling == "per_pixel":
        return PixelScaler().fit(faces.images[split.train], size, channels).preprocessing()
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
