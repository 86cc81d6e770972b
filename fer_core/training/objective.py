"""What a batch costs: its mixing, its teachers' answers and its loss, as the configuration asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from fer_core.runs.config import RunConfig
from fer_core.training.dataset import RunData
from fer_core.training.losses import share_of_batch, training_loss
from fer_core.training.mixing import Mixing
from fer_core.training.teachers import Teachers


@dataclass(frozen=True)
class Lesson:
    """images: float32 (B, C, S, S); targets: int64 (B,) or float32 (B, classes); answers: float32
    (B, classes) of the teachers, or None."""

    images: torch.Tensor
    targets: torch.Tensor
    answers: torch.Tensor | None

    def part(self, start: int, stop: int) -> Lesson:
        answers = None if self.answers is None else self.answers[start:stop]
        return Lesson(self.images[start:stop], self.targets[start:stop], answers)


def parts_of_batch(images: int, most: int) -> Iterator[tuple[int, int]]:
    """Where the parts of a batch begin and end; no part of a single image is left over.

    most: images in one part; 0 for the whole batch.
    """
    parts = max(1, min(-(-images // (most or images)), images // 2))
    edges = [images * place // parts for place in range(parts + 1)]
    return pairwise(edges)


class Objective:
    """Made once for a run; the loss itself may change with its phases."""

    def __init__(self, config: RunConfig, data: RunData, device: torch.device) -> None:
        names = data.faces.class_names
        self.mixing = Mixing(config, len(names))
        self.teachers = None
        if config.teachers and config.teacher_sees == "batch":
            self.teachers = Teachers(config, data.preprocessing, names, device)

    def lesson(self, images: torch.Tensor, targets: torch.Tensor) -> Lesson:
        """The batch as the network shall see it."""
        images, targets = self.mixing(images, targets)
        images = images.contiguous(memory_format=torch.channels_last)
        answers = self.teachers.answers(images) if self.teachers else None
        return Lesson(images, targets, answers)

    def loss(
        self,
        config: RunConfig,
        scores: torch.Tensor,
        lesson: Lesson,
        weights: torch.Tensor | None,
        batch: Lesson,
    ) -> torch.Tensor:
        """What `lesson`, a part of `batch` or all of it, adds to the batch's mean loss: ().

        config: of the phase; weights: float32 (classes,) of `class_weights`.
        """
        found = training_loss(config, scores, lesson.targets, weights)
        found = found * share_of_batch(config, lesson.targets, batch.targets, weights)
        if self.teachers is None or lesson.answers is None:
            return found
        share, size = self.teachers.share, len(lesson.answers) / len(batch.targets)
        return (1 - share) * found + share * size * self.teachers.loss(scores, lesson.answers)
