"""The gradients of a batch: drawn, augmented, through the network and back.

On a GPU the whole way is recorded once (`recorded.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from fer_core.data.batches import FaceTensor, training_batch
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.config import RunConfig
from fer_core.training.devices import computes_in_half
from fer_core.training.objective import Lesson, Objective, parts_of_batch
from fer_core.training.recorded import Recorded
from fer_core.training.sharpness import climb, descend


class Gradients:
    """Leaves each batch's gradients in the weights and adds up how well it was answered.

    loss_sum, correct: () of the images since `begin_epoch`, on the device.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        preprocessing: Preprocessing,
        device: torch.device,
        compiled: bool,
    ) -> None:
        self.model, self.objective, self.device = model, objective, device
        self._preprocessing = preprocessing
        #: What a whole batch goes through; it shares its weights with `model`.
        self._learner = torch.compile(model, dynamic=False) if compiled else model
        self._generator = torch.Generator(device)
        self.loss_sum, self.correct = (torch.zeros((), device=device) for _ in range(2))
        self._recording: _Recording | None = None

    def begin_phase(
        self, config: RunConfig, part: FaceTensor, weights: torch.Tensor | None
    ) -> None:
        """config: of the phase; part: what it learns from; weights: float32 (classes,) of the
        classes, or None."""
        self._config, self._part, self._weights = config, part, weights
        self._recording = _Recording(self, config.batch_size) if self._recordable() else None

    def begin_epoch(self, seed: int) -> None:
        """seed: of the epoch's augmentation."""
        self._generator.manual_seed(seed)
        self.loss_sum.zero_()
        self.correct.zero_()

    def of_drawn(self, positions: torch.Tensor, rows: torch.Tensor) -> None:
        """Of the images at `positions` of the part, `rows` of its pixels: int64 (B,) both."""
        if self._recording is not None and len(positions) == self._config.batch_size:
            self._recording(positions, rows)
        else:
            self.clear()
            self.learn(positions, rows)

    def of_lesson(self, lesson: Lesson) -> None:
        """Of a batch from elsewhere, which is not added up."""
        self.clear()
        self._through(lesson)

    def repeated(self, lesson: Lesson) -> Callable[[], None]:
        """`of_lesson` of this batch, to be called many times; recorded where drawn batches are."""
        if self._recording is None:
            return lambda: self.of_lesson(lesson)
        return Recorded(lambda: self.of_lesson(lesson), self.device)

    def clear(self) -> None:
        for value in self.model.parameters():
            value.grad = None

    def learn(self, positions: torch.Tensor, rows: torch.Tensor) -> None:
        """`of_drawn` as it stands; gradients are added to what is there."""
        policy, pre = self._config.augment, self._preprocessing
        batch = training_batch(self._part, positions, rows, pre, policy, self._generator)
        loss, scores = self._through(self.objective.lesson(batch.images, batch.targets))
        self.loss_sum += loss * len(batch.labels)
        self.correct += (scores.argmax(dim=1) == batch.labels).sum()

    def _through(self, lesson: Lesson) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch's mean loss () and its scores (B, classes)."""
        total, scores = self._back(lesson)
        if self._config.sharpness_radius:
            weights = list(self.model.parameters())
            moves = climb(weights, self._config.sharpness_radius)
            self._back(lesson)
            descend(weights, moves)
        return total, scores

    def _back(self, lesson: Lesson) -> tuple[torch.Tensor, torch.Tensor]:
        images, config = len(lesson.targets), self._config
        total, found = torch.zeros((), device=self.device), []
        for start, stop in parts_of_batch(images, config.chunk_size):
            part = lesson.part(start, stop)
            # kernels are compiled for one size; the smaller last batch goes through the plain ones
            learner = self._learner if images == config.batch_size else self.model
            half = computes_in_half(config.precision, self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                scores = learner(part.images)  # (part of B, classes)
            scores = scores.float()
            loss = self.objective.loss(config, scores, part, self._weights, lesson)
            loss.backward()
            total += loss.detach()
            found.append(scores.detach())
        return total, torch.cat(found)

    def _recordable(self) -> bool:
        """Mixing draws on the host, which a recording would repeat; sharp steps were not tried."""
        config, images = self._config, self._part.images
        plain = not (self.objective.mixing.kinds or config.sharpness_radius)
        return images.device.type == "cuda" and plain


class _Recording:
    """`Gradients.learn` of a whole batch, recorded; the gradients stay in the same tensors."""

    def __init__(self, gradients: Gradients, batch_size: int) -> None:
        self._gradients, device = gradients, gradients.device
        self._positions = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._rows = torch.zeros_like(self._positions)
        self._kept: list[torch.Tensor | None] = []
        self._work = Recorded(self._learn, device, (gradients._generator,))

    def __call__(self, positions: torch.Tensor, rows: torch.Tensor) -> None:
        self._positions.copy_(positions)
        self._rows.copy_(rows)
        self._work()
        # a smaller batch in between has put its own in their place
        for value, kept in zip(self._gradients.model.parameters(), self._kept, strict=True):
            value.grad = kept

    def _learn(self) -> None:
        """Run while it is recorded, and before; a replay repeats what it did on the device."""
        self._gradients.clear()
        self._gradients.learn(self._positions, self._rows)
        self._kept = [value.grad for value in self._gradients.model.parameters()]
