"""What the loop yields and what it asks of its caller: one finished epoch, a stop, callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch. Losses are means per image; training's are on augmented images, as the
    network saw them while it learned. improved: the best so far by the config's `choose_by`.
    phase: 1-based. updates, images_seen, train_seconds: since the run began, without validation."""

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
    phase: int = 1
    updates: int = 0
    images_seen: int = 0
    train_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Stopped(Exception):
    """Raised inside an epoch when a stop is asked for; the unfinished epoch is dropped."""


OnStep = Callable[[int, int], None]
ShouldStop = Callable[[], bool]


def check_loss(loss: float, epoch: int, learning_rate: float) -> None:
    """FloatingPointError, with what to do about it, where a loss is no finite number."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss became {loss} in epoch {epoch}; try a lower learning rate than "
            f"{learning_rate:g} or gradient_clip 5"
        )
