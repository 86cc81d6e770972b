"""The training loop: a generator of `EpochResult`s that shows and writes nothing itself.

The same code on CPU and GPU. Everything random follows from the seed and the epoch's number, so a
resumed run goes on as an unbroken one would.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import nn

from fer_core.data.balance import class_weights
from fer_core.data.batches import EpochDraw, FaceTensor, draw_epoch, steps_per_epoch
from fer_core.data.faces import DataError
from fer_core.models.freezing import set_training
from fer_core.runs.config import RunConfig
from fer_core.training.averaging import Average
from fer_core.training.dataset import RunData, part_views, prepare_part
from fer_core.training.devices import try_kernels
from fer_core.training.epoch import EpochResult, OnStep, ShouldStop, Stopped, check_loss
from fer_core.training.gradients import Gradients
from fer_core.training.network import first_network
from fer_core.training.objective import Lesson, Objective
from fer_core.training.optimization import (
    advance,
    build_optimizer,
    build_schedule,
    load_optimizer,
)
from fer_core.training.targets import training_targets
from fer_core.training.validation import predict_part, quality, validation_scores


class Training:
    """A network, its optimizer and how far it has come; `epochs()` goes on from there.

    preparations: (phase, ((step, rows after it), …)) of the phases entered so far.
    """

    def __init__(
        self,
        config: RunConfig,
        data: RunData,
        device: torch.device,
        on_teacher: OnStep = lambda done, total: None,  # of images that they answer beforehand
    ) -> None:
        torch.manual_seed(config.seed)
        try_kernels(device, config.deterministic)
        self.config, self.data, self.device = config, data, device
        self.classes = len(data.faces.class_names)
        self.phases = config.phase_configs()
        self.borders = list(accumulate(phase.epochs for phase in self.phases))
        self.model_options, pre = config.model_options, data.preprocessing
        model = first_network(config, self.classes, pre)
        self.model = model.to(device, memory_format=torch.channels_last)
        self.average = Average(self.model) if config.ema_decay else None
        self.objective = Objective(config, data, device)
        self.gradients = Gradients(self.model, self.objective, pre, device, config.compiled)
        self.views = part_views(config, data)
        self._on_teacher = on_teacher
        self.validation_part = FaceTensor.of(data.faces, data.split.validation, device)
        self.preparations: dict[int, tuple[tuple[str, int], ...]] = {}
        self.place = -1  # of the phase that data, optimizer and schedule are made for
        self.epoch = self.updates = self.images_seen = 0
        self.train_seconds = 0.0
        self.epoch_begin = time.perf_counter()
        self._compiled = not config.compiled  # or it will be, by the first whole batch
        self.best_epoch = self.stop_epoch = 0
        self.best_value = self.stop_value = float("-inf")

    @property
    def deployed(self) -> nn.Module:
        """The network that is validated and kept: the averaged one when there is one."""
        return self.average.network if self.average is not None else self.model

    @cached_property
    def targets(self) -> np.ndarray | None:
        """What each training image is to be learned as, see `training_targets`.

        Made when the first phase begins: teachers may take minutes, and a run that cannot go on
        fails before that.
        """
        return training_targets(self.config, self.data, self.device, self._on_teacher)

    @property
    def phase(self) -> RunConfig:
        return self.phases[self.place]

    def enter_phase(self, should_stop: ShouldStop = lambda: False) -> None:
        """Prepare data, optimizer and schedule of the phase that the next epoch belongs to."""
        place = sum(self.epoch >= border for border in self.borders[:-1])
        if place == self.place:
            return

        def on_part(done: int, total: int) -> None:
            if should_stop():
                raise Stopped

        config, data = self.phases[place], self.data
        images, labels, rows = prepare_part(config, data, on_part)
        self.train_part = FaceTensor(images, labels, self.device, self.targets, self.views)
        self.steps = steps_per_epoch(len(labels), config.batch_size)
        self.optimizer = build_optimizer(config, self.model)
        self.schedule = build_schedule(config, self.optimizer, self.steps)
        weights = None
        if config.class_weights:
            weights = torch.from_numpy(class_weights(labels, self.classes)).to(self.device)
        self.gradients.begin_phase(config, self.train_part, weights)
        if rows:
            self.preparations[place + 1] = rows
        self.place = place

    def images_to_go(self) -> int:
        """Images from the beginning of this epoch to the end; of later phases an estimate."""
        here = (self.borders[self.place] - self.epoch) * len(self.train_part)
        later = sum(phase.epochs for phase in self.phases[self.place + 1 :])
        return here + later * len(self.data.split.train)

    @property
    def spent(self) -> bool:
        """Whether a budget of updates or seconds is used up."""
        config = self.config
        return bool(
            (config.max_updates and self.updates >= config.max_updates)
            or (config.max_seconds and self.train_seconds >= config.max_seconds)
        )

    def epochs(
        self,
        on_step: OnStep = lambda step, images: None,
        should_stop: ShouldStop = lambda: False,
    ) -> Iterator[EpochResult]:
        """Train until the last epoch, early stopping, the end of a budget, or a stop.

        on_step(step, images) is called after every batch with the number of steps and images done
        in this epoch. Raises Stopped when `should_stop` says so between two batches.
        """
        config = self.config
        patience = config.early_stopping_patience
        own = config.early_stopping_by != "choose_by"
        watched = config.early_stopping_by if own else config.choose_by
        while self.epoch < config.epochs and not self.spent:
            if patience and self.epoch - self.stop_epoch >= patience:
                return  # asked here, so that a run resumed after its end learns no further
            self.enter_phase(should_stop)
            begin = time.perf_counter()
            rate = self.optimizer.param_groups[0]["lr"]
            loss, accuracy, images = self._train_epoch(on_step, should_stop)
            trained = time.perf_counter() - self.epoch_begin
            self.train_seconds += trained
            self.images_seen += images
            labels = self.data.faces.labels[self.data.split.validation]
            scores = validation_scores(self.predict(self.validation_part), labels)
            # the last update may be the one that breaks the weights
            check_loss(scores["validation_loss"], self.epoch + 1, self.phase.learning_rate)
            if self.phase.schedule == "plateau":
                self.schedule.step(-quality(scores, self.phase.plateau_by))  # type: ignore[call-arg]
            self.epoch += 1
            value, improved = quality(scores, config.choose_by), False
            if value > self.best_value:
                self.best_value, self.best_epoch, improved = value, self.epoch, True
            if quality(scores, watched) > self.stop_value:
                self.stop_value, self.stop_epoch = quality(scores, watched), self.epoch
            yield EpochResult(
                epoch=self.epoch,
                train_loss=loss,
                train_accuracy=accuracy,
                **scores,
                learning_rate=rate,
                seconds=time.perf_counter() - begin,
                images_per_second=images / trained,
                improved=improved,
                phase=self.place + 1,
                updates=self.updates,
                images_seen=self.images_seen,
                train_seconds=self.train_seconds,
            )

    def _train_epoch(self, on_step: OnStep, should_stop: ShouldStop) -> tuple[float, float, int]:
        """Mean loss and accuracy over the images of one epoch, and their number."""
        config, self.epoch_begin = self.phase, time.perf_counter()
        torch.manual_seed(config.seed * 100_003 + self.epoch)  # dropout, the same after a resume
        set_training(self.model)
        draw, images_done = self.draw(self.epoch), 0
        for step, (positions, rows) in enumerate(draw.batches(config.batch_size), start=1):
            if should_stop():
                raise Stopped
            self.step(positions, rows)
            images_done += len(positions)
            on_step(step, images_done)
            if config.max_updates and self.updates >= config.max_updates:
                break
            if config.max_seconds and self._seconds() >= config.max_seconds:
                break
        loss_mean = self.gradients.loss_sum.item() / images_done
        check_loss(loss_mean, self.epoch + 1, config.learning_rate)
        return loss_mean, self.gradients.correct.item() / images_done, images_done

    def draw(self, epoch: int) -> EpochDraw:
        """What the epoch of that number shows, from 0; its augmentation begins anew."""
        config = self.phase
        found = draw_epoch(
            self.train_part, config.seed, epoch, config.balanced_sampling, config.views_share
        )
        self.gradients.begin_epoch(found.seed)
        return found

    def step(self, positions: torch.Tensor, rows: torch.Tensor) -> None:
        """One step of the optimizer with a batch that was drawn, int64 (B,) both.

        The clock stands still while kernels are compiled: a schedule that keeps up with it would
        have left its rise behind by the second step.
        """
        begin = time.perf_counter()
        self.gradients.of_drawn(positions, rows)
        if not self._compiled and len(positions) == self.phase.batch_size:
            self._compiled = True
            self.epoch_begin += time.perf_counter() - begin
        self.update()

    def learn(self, lesson: Lesson) -> None:
        """One step of the optimizer with a batch from elsewhere."""
        self.gradients.of_lesson(lesson)
        self.update()

    def update(self) -> None:
        """Change the weights by the gradients that are there."""
        config = self.phase
        if config.gradient_clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
        self.optimizer.step()
        if config.schedule != "plateau":
            advance(self.schedule, config, self.steps, self.updates + 1, self._time_gone())
        self.updates += 1
        if self.average is not None:
            self.average.take_in(self.config.ema_decay, self.updates)

    def _seconds(self) -> float:
        """Of training, while an epoch is under way."""
        return self.train_seconds + time.perf_counter() - self.epoch_begin

    def _time_gone(self) -> float:
        """Share of a budget of seconds; 0 without one, and where phases have a schedule each."""
        budget = 0.0 if self.config.phases else self.config.max_seconds
        return self._seconds() / budget if budget else 0.0

    def predict(self, part: FaceTensor, mirrored: bool = False) -> np.ndarray:
        """float32 (N, classes) probabilities of the deployed network, in stored order; mirrored: of
        the mirror images."""
        return predict_part(self.deployed, part, self.data.preprocessing, self.classes, mirrored)

    def _views_known(self) -> str:
        return "" if self.views is None else self.views.fingerprint

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors: enough to go on after the last finished epoch."""
        return {
            **{name: getattr(self, name) for name in _COUNTERS},
            "preparations": self.preparations,
            "views": self._views_known(),
            "model": self.model.state_dict(),
            "averaged": None if self.average is None else self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], should_stop: ShouldStop = bool) -> None:
        """Go on from what `state_dict` gave; DataError where the file of views is another now."""
        if state.get("views", self._views_known()) != self._views_known():
            raise DataError(
                f"{self.config.views} is not the file of views that this run began with; put that "
                "one back, or start a new run"
            )
        for name in _COUNTERS[1:]:
            setattr(self, name, state[name])
        self.preparations = dict(state["preparations"])
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.network.load_state_dict(state["averaged"])
        self.enter_phase(should_stop)
        if self.place == state["place"]:  # a new phase begins with a fresh optimizer
            load_optimizer(self.optimizer, state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])


_COUNTERS = (
    "place",
    "epoch",
    "updates",
    "images_seen",
    "train_seconds",
    "best_epoch",
    "best_value",
    "stop_epoch",
    "stop_value",
)
