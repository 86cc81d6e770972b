"""Scoring a checkpoint on any set, with classes mapped by name or as the caller says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fer_core.data.faces import HELD_OUT, UNLABELLED, DataError, Faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.labels import canonical_name, map_classes
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_json
from fer_core.training.dataset import run_split, split_plan, with_class_map, without_duplicates
from fer_core.training.metrics import full_report, score


def evaluate_checkpoint(
    checkpoint: Checkpoint,
    faces: Faces,
    part: str = "test",
    mapping: Mapping[str, str] | None = None,
    mirrored: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Scores of `checkpoint` on one part of `faces`, split as the checkpoint's own run was.

    Where that run left classes or duplicates out or merged classes, the same is done before the
    split here too, or a drawn test part would hold images that it trained on.
    mapping: class of the set → class of the checkpoint, "" to leave it out; what it does not name
    goes by `proposed_mapping`. mirrored: of the mean over each image and its mirror image.
    progress(done, total): see `Checkpoint.probabilities`.

    Keys: checkpoint, data, fingerprint, split, mirrored, accuracy (a fraction), interval (95 %),
    macro_f1, weighted_f1, loss, calibration_error, n, per_class, confusion (rows true, both in the
    checkpoint's class order), without_twins (the same headline scores without images that have a
    pixel-identical twin in the set's training part; None when there is no such image) and left_out
    ({class: images} without a counterpart in the checkpoint).
    """
    config = run_config(checkpoint)
    used = checked_mapping(mapping or {}, faces.class_names, checkpoint.class_names, config)
    lookup = class_numbers(used, faces.class_names, checkpoint.class_names)
    indices, train, hidden = part_of(faces, config, checkpoint.class_names, part)
    mapped = lookup[faces.labels[indices]]
    unnamed = lookup[faces.labels[hidden]] < 0
    if config is not None:  # its run left the class out, whatever the checkpoint could say of it
        dropped = [config.class_map.get(name) == "" for name in faces.class_names]
        unnamed |= np.array(dropped, dtype=bool)[faces.labels[hidden]]
    unknown = np.concatenate([indices[mapped < 0], hidden[unnamed]])
    indices, labels = indices[mapped >= 0], mapped[mapped >= 0]
    if not len(indices):
        raise DataError(
            f"{faces.name} has no labelled {part} image of a class that the checkpoint knows "
            f"({', '.join(checkpoint.class_names)}); try another --split"
        )
    images = np.asarray(faces.images[indices])
    probabilities = checkpoint.probabilities(images, mirrored=mirrored, progress=progress)
    without = None
    if part in HELD_OUT and len(train):
        twins = has_twin_in(images, faces.images[train])
        if twins.any() and not twins.all():
            without = score(probabilities[~twins], labels[~twins])
    return {
        "checkpoint": checkpoint.folder.name,
        "data": faces.name,
        "fingerprint": faces.fingerprint,
        "split": part,
        "mirrored": mirrored,
        **full_report(probabilities, labels, checkpoint.class_names),
        "without_twins": without,
        "left_out": images_per_class(faces, unknown),
    }


def proposed_mapping(
    source: Sequence[str], target: Sequence[str], config: RunConfig | None = None
) -> dict[str, str]:
    """For each class of a set the class of the checkpoint that it counts as, "" without one.

    By name, synonyms included; where the checkpoint's own run (`config`) renamed a class, that
    name comes first.
    """
    renamed = dict(config.class_map) if config else {}
    names = [renamed.get(name) or name for name in source]
    places = map_classes(names, target)
    return {
        name: "" if place is None else target[place]
        for name, place in zip(source, places, strict=True)
    }


def checked_mapping(
    mapping: Mapping[str, str],
    source: Sequence[str],
    target: Sequence[str],
    config: RunConfig | None = None,
) -> dict[str, str]:
    """`proposed_mapping` with what `mapping` says otherwise, in the two sets' own spelling.

    DataError when it names a class that the set or the checkpoint does not have.
    """
    sources = {canonical_name(name): name for name in source}
    targets = {canonical_name(name): name for name in target}
    used = proposed_mapping(source, target, config)
    for name, wanted in mapping.items():
        if canonical_name(name) not in sources:
            raise DataError(
                f"the set has no class {str(name)[:60]!r} to map; it has {', '.join(source)}"
            )
        wanted = str(wanted or "").strip()
        if wanted and canonical_name(wanted) not in targets:
            raise DataError(
                f"{name} cannot count as {wanted[:60]!r}; the checkpoint knows "
                f"{', '.join(target)}, and an empty name leaves the class out"
            )
        used[sources[canonical_name(name)]] = targets[canonical_name(wanted)] if wanted else ""
    return used


def class_numbers(
    mapping: Mapping[str, str], source: Sequence[str], target: Sequence[str]
) -> np.ndarray:
    """int64 (source classes,): the place in `target` of what each counts as, -1 for left out."""
    places = {name: place for place, name in enumerate(target)}
    return np.array([places.get(mapping.get(name, ""), -1) for name in source], dtype=np.int64)


def images_per_class(faces: Faces, indices: np.ndarray) -> dict[str, int]:
    """How many of the labelled images at `indices` each class has, classes without any left out."""
    counts = np.bincount(faces.labels[indices], minlength=len(faces.class_names))
    return {name: int(n) for name, n in zip(faces.class_names, counts, strict=True) if n}


def run_config(checkpoint: Checkpoint) -> RunConfig | None:
    """The configuration of the run that made the checkpoint, None where none lies beside it."""
    values = read_json(RunFolder(checkpoint.folder).config)
    return RunConfig.from_dict(values) if values else None


def part_of(
    faces: Faces, config: RunConfig | None, known: Sequence[str], part: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of one part, of the training part, and of what the run would not have used of it.

    known: the checkpoint's classes. part "all": every labelled image, the other two are empty.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if part == "all":
        return np.flatnonzero(faces.labels >= 0), nothing, nothing
    if config is None:
        plan, seen = SplitPlan(), faces
        split = split_faces(seen, plan)
    else:
        plan, seen = split_plan(config), as_its_run_saw(faces, config, known)
        split = run_split(seen, config)
    hidden = np.flatnonzero((faces.labels >= 0) & (seen.labels < 0))
    if plan.kind != "stratified" and faces.source_split is not None:
        cut = plan.kind == "own_validation" and part == "validation"  # from the training images
        hidden = hidden[faces.source_split[hidden] == ("train" if cut else part)]
    return getattr(split, part), split.train, hidden


def as_its_run_saw(faces: Faces, config: RunConfig, known: Sequence[str]) -> Faces:
    """The same set; labels of what the run left out are UNLABELLED, so it is in no part.

    Classes are numbered as the run numbered them, for the draw of a split depends on that.
    """
    names = {canonical_name(name) for name in config.classes_left_out}
    gone = [index for index, name in enumerate(faces.class_names) if name in names]
    labels = np.where(np.isin(faces.labels, gone), UNLABELLED, faces.labels)
    seen = replace(faces, labels=labels)
    here = {name: new for name, new in config.class_map.items() if name in faces.class_names}
    if here or config.start_from:
        seen = with_class_map(seen, here, known if config.start_from else None)
    return without_duplicates(seen) if config.drop_duplicates else seen
