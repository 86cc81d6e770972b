"""Learning from other networks: distillation (Hinton et al., arXiv 1503.02531).

The teachers see the very batch that the learner sees, augmented and mixed, which taught networks
more than stored answers did (Beyer et al., arXiv 2106.05237). Or they answer once for every image
as the set has it: that costs no time while training, and a teacher that is at a loss before blur or
grain cannot pass that on. A teacher with a memory (`models.recall`) of the very images that the run
learns from then recalls all of them but the one that it is asked about, whose label the run has
anyway; in every other case, a memory that was made with other views included, it answers without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from fer_core.data.batches import FaceTensor, plain_batches, scoring_batch
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.training.devices import computes_in_half

log = logging.getLogger("fer_core.training")

#: To tell whether a memory is one of the run's own images: how many are looked at, and how many of
#: their bytes must be what is remembered (half precision changes a few).
_LOOKED_AT, _THE_SAME = 64, 0.9


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
        self.half = computes_in_half(config.precision, device)
        memory = config.teacher_sees == "original"
        self.checkpoints = [
            load_checkpoint(Path(path), str(device), memory=memory) for path in config.teachers
        ]
        for teacher in self.checkpoints:
            _check(teacher, preprocessing, class_names)
            teacher.model.to(memory_format=torch.channels_last)
        self._whole = {phase.batch_size for phase in config.phase_configs()}
        #: What a whole batch is shown to, in the order of `checkpoints`.
        self._compiled = [
            torch.compile(teacher.model, dynamic=False)
            for teacher in self.checkpoints
            if config.compiled and not memory
        ]

    @torch.no_grad()
    def answers(self, images: torch.Tensor) -> torch.Tensor:
        """float32 (B, classes): mean probabilities of the teachers, softened by the temperature.

        images: float32 (B, C, S, S) as the learner's own preprocessing left them.
        """
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.half):
            return self._answers(images, None)

    def _answers(self, images: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
        """rows: int64 (B,), the images' places in the teachers' memories."""
        unit = self.own.inverse(images)
        found = []
        fast = self._compiled if len(images) in self._whole else []
        models = fast or [teacher.model for teacher in self.checkpoints]
        for teacher, model in zip(self.checkpoints, models, strict=True):
            seen = teacher.preprocessing.normalise(unit)
            recall = getattr(model, "recall", None)
            if recall is None or rows is None:
                scores = model(seen)
            else:
                features = model.features(seen)
                scores = recall(model.classifier(features), features, but=rows)
            found.append((scores.float() / self.temperature).softmax(dim=1))
        return torch.stack(found).mean(dim=0)

    @torch.no_grad()
    def stored_answers(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> np.ndarray:
        """float32 (N, classes): what `answers` says of each image and its mirror image, the mean.

        images: uint8 (N, H, W, C), as the set has them; labels: int64 (N,), by which a memory of
        these images is known. progress(done, total) is called after every batch and may raise.
        """
        for teacher in self.checkpoints:
            if getattr(teacher.model, "recall", None) and not _remembers(teacher, images, labels):
                teacher.model.recall = None
                log.info(
                    "the teacher %s answers without its memory, which is not of just these images",
                    teacher.folder.name,
                )
        device = next(self.checkpoints[0].model.parameters()).device
        places = torch.from_numpy(np.argsort(_memory_order(labels))).to(device)
        part = FaceTensor(images, np.zeros(len(images), dtype=np.int64), device)
        found = []
        for batch in plain_batches(part, self.own, scoring_batch(self.own.image_size)):
            seen = batch.images.contiguous(memory_format=torch.channels_last)
            begin = sum(map(len, found))
            rows = places[begin : begin + len(seen)]
            mean = (self._answers(seen, rows) + self._answers(seen.flip(-1), rows)) / 2
            found.append(mean.cpu().numpy())
            progress(sum(map(len, found)), len(images))
        return np.concatenate(found)

    def loss(self, scores: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        """Divergence of the learner from the answers, at the same temperature.

        Times the temperature's square, so that its gradients do not shrink with it.
        """
        own = (scores / self.temperature).log_softmax(dim=1)
        return functional.kl_div(own, answers, reduction="batchmean") * self.temperature**2


def _remembers(teacher: Checkpoint, images: np.ndarray, labels: np.ndarray) -> bool:
    """Whether the teacher's memory is one of these images, in this order; a look at the first."""
    recall = teacher.model.recall
    order = _memory_order(labels)
    if recall.labels().tolist() != labels[order].tolist():
        return False
    device = next(teacher.model.parameters()).device
    places = np.unique(np.linspace(0, len(order) - 1, _LOOKED_AT).astype(int))
    pixels = torch.from_numpy(np.ascontiguousarray(images[order[places]])).to(device)
    seen = teacher.preprocessing(pixels)
    features = (teacher.model.features(seen) + teacher.model.features(seen.flip(-1))) / 2
    kept = recall.codes[torch.from_numpy(places).to(device)]
    return bool((recall.encode(features) == kept).float().mean() > _THE_SAME)


def _memory_order(labels: np.ndarray) -> np.ndarray:
    """int64 (N,), which image comes next in a memory: class by class, else as in the set."""
    return np.argsort(labels, kind="stable")


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
