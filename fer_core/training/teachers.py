"""Learning from other networks: distillation (Hinton et al., arXiv 1503.02531).

The teachers see the very batch that the learner sees, augmented and mixed, which taught networks
more than stored answers did (Beyer et al., arXiv 2106.05237). Or they answer once for every image
as the set has it: that costs no time while training, and a teacher that is at a loss before blur or
grain cannot pass that on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from fer_core.data.batches import FaceTensor, plain_batches, scoring_batch
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import RunConfig


class Teachers:
    """The checkpoints that a run learns from; their mean answer is the lesson."""

    def __init__(
        self,
        config: RunConfig,
        preprocessing: Preprocessing,
        class_names: tuple[str, ...],
        device: torch.device,
    ) -> None:
        self.share, self.temperature = config.teacher_share, config.teacher_temperature
        self.own = preprocessing
        # a memory of the training faces would only repeat their labels
        self.checkpoints = [
            load_checkpoint(Path(path), str(device), memory=False) for path in config.teachers
        ]
        for teacher in self.checkpoints:
            _check(teacher, preprocessing, class_names)
            teacher.model.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def answers(self, images: torch.Tensor) -> torch.Tensor:
        """float32 (B, classes): mean probabilities of the teachers, softened by the temperature.

        images: float32 (B, C, S, S) as the learner's own preprocessing left them.
        """
        unit = self.own.inverse(images)
        found = [
            (
                teacher.model(teacher.preprocessing.normalise(unit)).float() / self.temperature
            ).softmax(dim=1)
            for teacher in self.checkpoints
        ]
        return torch.stack(found).mean(dim=0)

    @torch.no_grad()
    def stored_answers(
        self, images: np.ndarray, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> np.ndarray:
        """float32 (N, classes): what `answers` says of each image and its mirror image, the mean.

        images: uint8 (N, H, W, C), as the set has them. progress(done, total) is called after every
        batch and may raise.
        """
        device = next(self.checkpoints[0].model.parameters()).device
        part = FaceTensor(images, np.zeros(len(images), dtype=np.int64), device)
        found = []
        for batch in plain_batches(part, self.own, scoring_batch(self.own.image_size)):
            seen = batch.images.contiguous(memory_format=torch.channels_last)
            mean = (self.answers(seen) + self.answers(seen.flip(-1))) / 2
            found.append(mean.cpu().numpy())
            progress(sum(map(len, found)), len(images))
        return np.concatenate(found)

    def loss(self, scores: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        """Divergence of the learner from the answers, at the same temperature.

        Times the temperature's square, so that its gradients do not shrink with it.
        """
        own = (scores / self.temperature).log_softmax(dim=1)
        return functional.kl_div(own, answers, reduction="batchmean") * self.temperature**2


def _check(teacher: Checkpoint, own: Preprocessing, class_names: tuple[str, ...]) -> None:
    name, theirs = teacher.folder.name, teacher.preprocessing
    if teacher.class_names != class_names:
        raise CheckpointError(
            f"teachers: {name} knows {', '.join(teacher.class_names)}, the run learns "
            f"{', '.join(class_names)}; take a teacher of the same classes in the same order"
        )
    if (theirs.image_size, theirs.channels) != (own.image_size, own.channels):
        raise CheckpointError(
            f"teachers: {name} sees {theirs.image_size} px and {theirs.channels} channels, the run "
            f"{own.image_size} and {own.channels}; set image_size and channels to the teacher's"
        )
