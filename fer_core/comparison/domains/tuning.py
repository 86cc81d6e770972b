"""Fine-tuning on a small slice of another set: a plan for it, and how many images that takes.

A checkpoint, a set and a `TuningPlan` become the `RunConfig` of an ordinary run. What it changed is
told by `before_after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.data.faces import Faces
from fer_core.data.policies import POLICIES
from fer_core.data.split import SplitPlan, split_faces
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, read_start
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.dataset import with_class_map

#: Of all images of the set: held out to compare before and after, and to choose the best epoch.
HELD_OUT_SHARE = 0.5
CHOOSING_SHARE = 0.05
#: (lowest, highest) share of all images that may be learned from.
SLICE_SHARES = (0.005, 1 - HELD_OUT_SHARE - CHOOSING_SHARE)


@dataclass(frozen=True)
class TuningPlan:
    """slice_share: of all images of the set, 0.005 to 0.45. frozen_share: of the layers, from the
    input on, that keep their weights, 0 to 0.95."""

    slice_share: float = 0.1
    frozen_share: float = 0.5
    learning_rate: float = 1e-4
    epochs: int = 3
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        low, high = SLICE_SHARES
        if not low <= self.slice_share <= high:
            raise ConfigError(
                f"the slice must be {low:.1%} to {high:.0%} of the set, got "
                f"{self.slice_share:.1%}; {HELD_OUT_SHARE:.0%} are held out to compare and "
                f"{CHOOSING_SHARE:.0%} choose the epoch"
            )


def tuning_config(
    checkpoint: Checkpoint, data: str, mapping: Mapping[str, str], plan: TuningPlan
) -> RunConfig:
    """The run that fine-tunes `checkpoint` on a slice of `data`; its classes stay as they are.

    mapping: class of the set → class of the checkpoint, "" to leave it out. CheckpointError for
    one that gradients do not train, such as a support vector machine.
    """
    if not any(value.requires_grad for value in checkpoint.model.parameters()):
        raise CheckpointError(
            f"{checkpoint.folder.name} is a {checkpoint.model_name}, which is fitted as a whole "
            "and cannot be fine-tuned; choose a checkpoint of a network"
        )
    start = read_start(checkpoint.folder)
    size, channels = start["preprocessing"].image_size, start["preprocessing"].channels
    rest = 1 - HELD_OUT_SHARE
    return RunConfig(
        recipe="custom",
        data=data,
        image_size=size,
        channels=channels,
        split="stratified",
        test_share=HELD_OUT_SHARE,
        validation_share=CHOOSING_SHARE / rest,
        split_seed=plan.seed,
        class_map=dict(mapping),
        train_share=min(1.0, plan.slice_share / (rest - CHOOSING_SHARE)),
        model=start["model"],
        model_options=start["model_options"],
        start_from=str(Path(checkpoint.folder).resolve()),
        frozen_share=plan.frozen_share,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        optimizer="adam",
        learning_rate=plan.learning_rate,
        augment=POLICIES["light"],
        seed=plan.seed,
    )


def slice_counts(faces: Faces, checkpoint: Checkpoint, config: RunConfig) -> dict[str, Any]:
    """What a fine-tuning run would use of `faces`, as read at the checkpoint's size.

    Keys slice {class: images}, choosing and held_out (images). DataError when the set is too small.
    """
    known = with_class_map(faces, config.class_map, checkpoint.class_names)
    plan = SplitPlan(config.split, config.validation_share, config.test_share, config.split_seed)
    split = split_faces(known, plan)
    labels = known.labels[split.train]
    counts = np.bincount(labels, minlength=len(known.class_names))
    return {
        "slice": {
            name: max(1, round(config.train_share * int(count)))
            for name, count in zip(known.class_names, counts, strict=True)
            if count
        },
        "choosing": len(split.validation),
        "held_out": len(split.test),
    }


def is_tuning(config: RunConfig | None) -> bool:
    """Whether a run started from a checkpoint, so that it has a before."""
    return config is not None and bool(config.start_from)
