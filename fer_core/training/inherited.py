"""Held-out images that a run has met before: as training images of its start or its teachers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_core.data.faces import HELD_OUT, Faces
from fer_core.data.readers import read_faces
from fer_core.data.split import Split
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.training.evaluation import part_of
from fer_core.training.lineage import runs_on


def inherited_images(config: RunConfig, split: Split) -> dict[str, int]:
    """{part: images} of the held-out parts that the start or a teacher of a run learned from.

    Of the same set alone, see `used_images`. Parts without any are left out, and a checkpoint that
    cannot be read counts as one that learned from nothing here.
    """
    met = [np.zeros(0, dtype=np.int64)]
    for folder in filter(None, (config.start_from, *config.teachers)):
        try:
            checkpoint = load_checkpoint(folder)
        except CheckpointError:  # who needs it says so
            continue
        # read as the checkpoint's run read it, or its fingerprint would be another; the rows agree
        faces = read_faces(config.data, image_size=checkpoint.preprocessing.image_size)
        met.append(used_images(checkpoint, faces, ("train",)))
    seen = np.concatenate(met)
    counts = {part: int(np.isin(getattr(split, part), seen).sum()) for part in HELD_OUT}
    return {part: count for part, count in counts.items() if count}


def used_images(
    checkpoint: Checkpoint, faces: Faces, parts: Sequence[str], newest: bool = True
) -> np.ndarray:
    """Which images of a set stood in these parts of the runs that made a checkpoint: int64 (N,).

    Its own run and those that it started from, one by one, as far as they used this very set, known
    by its place or its fingerprint. newest: whether the last of these runs counts.
    """
    runs, names = list(runs_on(checkpoint, faces)), checkpoint.class_names
    runs = runs if newest else runs[1:]
    found = [part_of(faces, run, names, part)[0] for run in runs for part in parts]
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *found]))
