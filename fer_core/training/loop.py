"""The training loop: a generator of `EpochResult`s that shows and writes nothing itself.

The same code on CPU and GPU. Everything random follows from the seed and the epoch's number, so a
resumed run goes on as an unbroken one would.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from sklearn.metrics import f1_score
from torch import nn

from fer_core.data.balance import class_weights
from fer_core.data.batches import FaceTensor, plain_batches, steps_per_epoch, training_batches
from fer_core.models import build_model
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import RunData
from fer_core.training.optimization import build_optimizer, build_schedule


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch. Losses are means per image; training's are on augmented images, as the
    network saw them while it learned. improved: the best so far by the config's `choose_by`."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_macro_f1: float
    learning_rate: float
    seconds: float
    images_per_second: float
    improved: bool

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Stopped(Exception):
    """Raised inside an epoch when a stop is asked for; the unfinished epoch is dropped."""


class Training:
    """A network, its optimizer and how far it has come; `epochs()` goes on from there."""

    def __init__(self, config: RunConfig, data: RunData, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.data, self.device = config, data, device
        self.classes = len(data.faces.class_names)
        pre = data.preprocessing
        model = build_model(
            config.model, self.classes, pre.channels, pre.image_size, config.model_options
        )
        self.model = model.to(device, memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.model).eval() if config.ema_decay else None
        self.train_part = FaceTensor(data.faces, data.split.train, device)
        self.validation_part = FaceTensor(data.faces, data.split.validation, device)
        self.steps = steps_per_epoch(len(self.train_part), config.batch_size)
        self.optimizer = build_optimizer(config, self.model)
        self.schedule = build_schedule(config, self.optimizer, self.steps)
        self.epoch = 0
        self.best_epoch = 0
        self.best_value = float("-inf")
        weights = class_weights(data.faces.labels[data.split.train], self.classes)
        self.loss_weights = torch.from_numpy(weights).to(device) if config.class_weights else None

    @property
    def deployed(self) -> nn.Module:
        """The network that is validated and kept: the averaged one when there is one."""
        return self.averaged if self.averaged is not None else self.model

    def epochs(
        self,
        on_step: Callable[[int, int], None] = lambda step, images: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[EpochResult]:
        """Train until the last epoch, early stopping, or a stop.

        on_step(step, images) is called after every batch with the number of steps and images done
        in this epoch. Raises Stopped when `should_stop` says so between two batches.
        """
        config = self.config
        patience = config.early_stopping_patience
        while self.epoch < config.epochs:
            if patience and self.epoch - self.best_epoch >= patience:
                return  # asked here, so that a run resumed after its end learns no further
            begin = time.perf_counter()
            rate = self.optimizer.param_groups[0]["lr"]
            loss, accuracy = self._train_epoch(on_step, should_stop)
            trained = time.perf_counter() - begin
            probabilities = self.predict(self.validation_part)
            labels = self.data.faces.labels[self.data.split.validation]
            chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-12, None)
            validation_loss = float(-np.log(chosen.astype(np.float64)).mean())
            predicted = probabilities.argmax(axis=1)
            scores = {
                "validation_loss": validation_loss,
                "validation_accuracy": float((predicted == labels).mean()),
                "validation_macro_f1": float(
                    f1_score(labels, predicted, average="macro", zero_division=0)
                ),
            }
            if config.schedule == "plateau":
                self.schedule.step(validation_loss)  # type: ignore[call-arg]
            self.epoch += 1
            value = scores[config.choose_by]
            value = -value if config.choose_by == "validation_loss" else value
            improved = value > self.best_value
            if improved:
                self.best_value, self.best_epoch = value, self.epoch
            yield EpochResult(
                epoch=self.epoch,
                train_loss=loss,
                train_accuracy=accuracy,
                **scores,
                learning_rate=rate,
                seconds=time.perf_counter() - begin,
                images_per_second=len(self.train_part) / trained,
                improved=improved,
            )

    def _train_epoch(
        self, on_step: Callable[[int, int], None], should_stop: Callable[[], bool]
    ) -> tuple[float, float]:
        """Mean loss and accuracy over the images of one epoch."""
        config = self.config
        torch.manual_seed(config.seed * 100_003 + self.epoch)  # dropout, the same after a resume
        self.model.train()
        loss_sum = torch.zeros((), device=self.device)
        correct = torch.zeros((), device=self.device)
        images_done = 0
        batches = training_batches(
            self.train_part,
            self.data.preprocessing,
            config.augment,
            config.batch_size,
            config.seed,
            self.epoch,
            config.balanced_sampling,
        )
        for step, batch in enumerate(batches, start=1):
            if should_stop():
                raise Stopped
            images = batch.images.contiguous(memory_format=torch.channels_last)
            with self._autocast():
                logits = self.model(images)  # (B, classes)
            loss = functional.cross_entropy(
                logits.float(),
                batch.labels,
                weight=self.loss_weights,
                label_smoothing=config.label_smoothing,
            )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if config.gradient_clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
            self.optimizer.step()
            if config.schedule != "plateau":
                self.schedule.step()
            self._average(self.epoch * self.steps + step)
            loss_sum += loss.detach() * len(images)
            correct += (logits.argmax(dim=1) == batch.labels).sum()
            images_done += len(images)
            on_step(step, images_done)
        loss_mean = loss_sum.item() / images_done
        if not np.isfinite(loss_mean):
            raise FloatingPointError(
                f"the loss became {loss_mean} in epoch {self.epoch + 1}; try a lower learning rate "
                f"than {config.learning_rate:g} or gradient_clip 5"
            )
        return loss_mean, correct.item() / images_done

    def _autocast(self) -> torch.autocast:
        wanted = self.config.precision
        half = wanted == "bfloat16" or (wanted == "auto" and self.device.type == "cuda")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Exponential moving average of weights and buffers, quick at first, then at its decay."""
        if self.averaged is None:
            return
        decay = min(self.config.ema_decay, (1 + step) / (10 + step))
        pairs = zip(
            self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True
        )
        for kept, fresh in pairs:
            if kept.dtype.is_floating_point:
                kept.lerp_(fresh, 1 - decay)
            else:
                kept.copy_(fresh)

    @torch.inference_mode()
    def predict(self, part: FaceTensor) -> np.ndarray:
        """float32 (N, classes) probabilities of the deployed network, in stored order."""
        self.deployed.eval()
        rows = [np.zeros((0, self.classes), dtype=np.float32)]
        for batch in plain_batches(part, self.data.preprocessing, 512):
            images = batch.images.contiguous(memory_format=torch.channels_last)
            with self._autocast():
                logits = self.deployed(images)
            rows.append(logits.float().softmax(dim=1).cpu().numpy())
        return np.concatenate(rows)

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors: enough to go on after the last finished epoch."""
        return {
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "model": self.model.state_dict(),
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]
        self.best_epoch = state["best_epoch"]
        self.best_value = state["best_value"]
        self.model.load_state_dict(state["model"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
