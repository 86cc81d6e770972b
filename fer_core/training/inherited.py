"""Held-out images that a run has met before: as training images of its start or its teachers."""

from __future__ import annotations

import numpy as np

from fer_core.data.readers import read_faces
from fer_core.data.split import Split
from fer_core.runs.checkpoint import CheckpointError, load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.inherited import HELD_OUT
from fer_core.training.evaluation import part_of
from fer_core.training.lineage import runs_on


def inherited_images(config: RunConfig, split: Split) -> dict[str, int]:
    """{part: images} of the held-out parts that the start or a teacher of a run learned from.

    Of the same set alone, which is known by its place or its fingerprint: there another split is
    all it takes. Runs that a start had started from count as well. Parts without any are left out,
    and a checkpoint that cannot be read counts as one that learned from nothing here.
    """
    met = [np.zeros(0, dtype=np.int64)]
    for folder in filter(None, (config.start_from, *config.teachers)):
        try:
            checkpoint = load_checkpoint(folder)
        except CheckpointError:  # who needs it says so
            continue
        # read as the checkpoint's run read it, or its fingerprint would be another; the rows agree
        faces = read_faces(config.data, image_size=checkpoint.preprocessing.image_size)
        for before in runs_on(checkpoint, faces):
            met.append(part_of(faces, before, checkpoint.class_names, "test")[1])
    seen = np.concatenate(met)
    counts = {part: int(np.isin(getattr(split, part), seen).sum()) for part in HELD_OUT}
    return {part: count for part, count in counts.items() if count}
