"""Scoring a checkpoint on any set, with classes mapped by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fer_core.data.faces import UNLABELLED, DataError, Faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.labels import canonical_name, map_classes
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_json
from fer_core.training.dataset import split_plan, without_duplicates
from fer_core.training.metrics import full_report, score


def evaluate_checkpoint(checkpoint: Checkpoint, faces: Faces, part: str = "test") -> dict[str, Any]:
    """Scores of `checkpoint` on one part of `faces`, split as the checkpoint's own run was.

    Where that run left classes or duplicates out, they are left out before the split here too, or
    a drawn test part would hold images that it trained on.

    Keys: checkpoint, data, fingerprint, split, accuracy (a fraction), interval (95 %), macro_f1,
    weighted_f1, loss, n, per_class, confusion (rows true, both in the checkpoint's class order),
    without_twins (the same headline scores without images that have a pixel-identical twin in the
    set's training part; None when there is no such image) and left_out ({class: images} without a
    counterpart in the checkpoint).
    """
    values = read_json(RunFolder(checkpoint.folder).config)
    config = RunConfig.from_dict(values) if values else None
    hidden = train = np.zeros(0, dtype=np.int64)
    if part == "all":
        indices = np.flatnonzero(faces.labels >= 0)
    else:
        plan = split_plan(config) if config else SplitPlan()
        seen = _as_its_run_saw(faces, config) if config else faces
        split = split_faces(seen, plan)
        indices, train = getattr(split, part), split.train
        hidden = np.flatnonzero((faces.labels >= 0) & (seen.labels < 0))
        if plan.kind == "source" and faces.source_split is not None:
            hidden = hidden[faces.source_split[hidden] == part]
    mapping = map_classes(faces.class_names, checkpoint.class_names)
    lookup = np.array([-1 if target is None else target for target in mapping])
    mapped = lookup[faces.labels[indices]]
    unknown = np.concatenate([indices[mapped < 0], hidden[lookup[faces.labels[hidden]] < 0]])
    gone = np.bincount(faces.labels[unknown], minlength=len(faces.class_names))
    left_out = {
        name: int(count) for name, count in zip(faces.class_names, gone, strict=True) if count
    }
    indices, labels = indices[mapped >= 0], mapped[mapped >= 0]
    if not len(indices):
        raise DataError(
            f"{faces.name} has no labelled {part} image of a class that the checkpoint knows "
            f"({', '.join(checkpoint.class_names)}); try another --split"
        )
    images = np.asarray(faces.images[indices])
    probabilities = checkpoint.probabilities(images)
    without = None
    if part in ("validation", "test") and len(train):
        twins = has_twin_in(images, faces.images[train])
        if twins.any() and not twins.all():
            without = score(probabilities[~twins], labels[~twins])
    return {
        "checkpoint": checkpoint.folder.name,
        "data": faces.name,
        "fingerprint": faces.fingerprint,
        "split": part,
        **full_report(probabilities, labels, checkpoint.class_names),
        "without_twins": without,
        "left_out": left_out,
    }


def _as_its_run_saw(faces: Faces, config: RunConfig) -> Faces:
    """The same set; labels of what the run left out are UNLABELLED, so it is in no part."""
    names = {canonical_name(name) for name in config.classes_left_out}
    gone = [index for index, name in enumerate(faces.class_names) if name in names]
    labels = np.where(np.isin(faces.labels, gone), UNLABELLED, faces.labels)
    seen = replace(faces, labels=labels)
    return without_duplicates(seen) if config.drop_duplicates else seen
