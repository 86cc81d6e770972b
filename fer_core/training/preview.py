"""The first images of a run as its network will see them: prepared, augmented and mixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from fer_core.data.batches import FaceTensor, training_batches
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import load_run_data, part_views, prepare_part
from fer_core.training.mixing import Mixing
from fer_core.training.targets import vote_targets

#: Of a larger training part so many images are drawn before copies are made of them.
_MOST_IMAGES = 2_000


@dataclass(frozen=True)
class BatchPreview:
    """images: uint8 (N, S, S, C) after everything but normalisation. targets: float32 (N, classes),
    what is to be said of each. batch_size: of the run, of which these are the first N."""

    images: np.ndarray
    targets: np.ndarray
    class_names: tuple[str, ...]
    batch_size: int


def preview_batch(
    config: RunConfig, count: int = 32, progress: Callable[[int, int], None] | None = None
) -> BatchPreview:
    """The first `count` images of a batch in the run's first phase, drawn with its seed.

    Where the training part is large, the copies of its `preparation` are made of a sample. Raises
    what `load_run_data` raises.
    """
    data = load_run_data(config, progress)
    first = config.phase_configs()[0]
    rows = data.split.train
    if first.preparation and len(rows) > _MOST_IMAGES:
        rows = np.sort(np.random.default_rng(config.seed).permutation(rows)[:_MOST_IMAGES])
    data = replace(data, split=replace(data.split, train=rows))
    images, labels, _ = prepare_part(first, data)
    targets, views = vote_targets(config, data), part_views(config, data)
    part = FaceTensor(images, labels, torch.device("cpu"), targets, views)
    torch.manual_seed(config.seed)
    batch = next(
        training_batches(
            part,
            data.preprocessing,
            first.augment,
            min(count, first.batch_size),
            config.seed,
            0,
            first.balanced_sampling,
            first.views_share,
        )
    )
    names = data.faces.class_names
    mixed, targets = Mixing(config, len(names))(batch.images, batch.targets)
    if targets.ndim == 1:
        targets = torch.nn.functional.one_hot(targets, len(names)).float()
    pixels = data.preprocessing.inverse(mixed).clamp(0, 1).mul(255).round().to(torch.uint8)
    return BatchPreview(
        pixels.permute(0, 2, 3, 1).numpy(), targets.numpy(), names, first.batch_size
    )
