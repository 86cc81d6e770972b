"""Scoring a checkpoint on any set, with classes mapped by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_core.data.faces import DataError, Faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.labels import map_classes
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_json
from fer_core.training.dataset import split_plan
from fer_core.training.metrics import full_report, score


def evaluate_checkpoint(checkpoint: Checkpoint, faces: Faces, part: str = "test") -> dict[str, Any]:
    """Scores of `checkpoint` on one part of `faces`, split as the checkpoint's own run was.

    Keys: checkpoint, data, fingerprint, split, accuracy (a fraction), interval (95 %), macro_f1,
    weighted_f1, loss, n, per_class, confusion (rows true, both in the checkpoint's class order),
    without_twins (the same headline scores without images that have a pixel-identical twin in the
    set's training part; None when there is no such image) and left_out ({class: images} without a
    counterpart in the checkpoint).
    """
    values = read_json(RunFolder(checkpoint.folder).config)
    plan = split_plan(RunConfig.from_dict(values)) if values else SplitPlan()
    if part == "all":
        indices, train = np.flatnonzero(faces.labels >= 0), np.zeros(0, dtype=np.int64)
    else:
        split = split_faces(faces, plan)
        indices, train = getattr(split, part), split.train
    mapping = map_classes(faces.class_names, checkpoint.class_names)
    lookup = np.array([-1 if target is None else target for target in mapping])
    mapped = lookup[faces.labels[indices]]
    gone = np.bincount(faces.labels[indices[mapped < 0]], minlength=len(faces.class_names))
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
