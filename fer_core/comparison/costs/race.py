"""Seconds from a network's first step to an accuracy, and what a memory then adds: `race`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from fer_core.comparison.costs.training_speed import WarmTraining, wait_for
from fer_core.training.dataset import RunData
from fer_core.training.metrics import score
from fer_core.training.recall_fit import (
    answers_with,
    choose_shares,
    face_features,
    fit_recall,
)

#: Of the memory that a racing network is given: bytes of each face, and of how many numbers. With
#: them `expressnet` stays below a million numbers; the shipped expressnet-small has the same.
CODES, NUMBERS = 10, 60


@dataclass(frozen=True)
class Race:
    """Seconds of training and validation, from the first step on, until validation accuracy reached
    each target (None: not reached), the epochs done and the last accuracy. making: seconds spent
    before the first step, on moving the set, compiling and warming up. remembering: accuracy with
    a memory of the training faces, fitted after the last epoch; remembered: seconds from the first
    step until it was (both None: a network that cannot have one)."""

    seconds: dict[float, float | None]
    epochs: int
    accuracy: float
    making: float
    remembering: float | None = None
    remembered: float | None = None


def race(warm: WarmTraining, targets: Sequence[float]) -> Race:
    """Train from the beginning until the highest target is reached or the epochs are over."""
    training = warm.training
    data, device = training.data, training.device
    looked = time.perf_counter()
    if hasattr(training.deployed, "recall"):  # kernels for all sizes of these, too, are no race
        _features(training.deployed, data, device)
    training.load_state_dict(warm.begin)
    wait_for(device)
    making = warm.making + time.perf_counter() - looked
    reached: dict[float, float | None] = dict.fromkeys(targets)
    accuracy, start = 0.0, time.perf_counter()
    for result in training.epochs():
        accuracy = result.validation_accuracy
        for target in targets:
            if reached[target] is None and accuracy >= target:
                reached[target] = time.perf_counter() - start
        if all(seconds is not None for seconds in reached.values()):
            break
    remembering = remembered = None
    if hasattr(training.deployed, "recall"):
        remembering = _with_memory(training.deployed, data, device)
        remembered = time.perf_counter() - start
    return Race(reached, training.epoch, accuracy, making, remembering, remembered)


def _with_memory(network: nn.Module, data: RunData, device: torch.device) -> float:
    """Validation accuracy with a memory of the training faces; its share of an answer is chosen on
    the same images, by the mean log loss."""
    faces, split = data.faces, data.split
    known, features, scores = _features(network, data, device)
    labels = faces.labels[split.train]
    recall = fit_recall(known, labels, len(faces.class_names), CODES, NUMBERS)
    labels = faces.labels[split.validation]
    choose_shares(recall, features, scores, labels)
    answers = answers_with(recall, features, scores)
    return float(score(answers.exp().cpu().numpy(), labels)["accuracy"])


def _features(
    network: nn.Module, data: RunData, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """float32 (N, C) features of the training faces, (M, C) of the validation part's, and its
    scores (M, classes)."""
    faces, split, pre = data.faces, data.split, data.preprocessing
    network.eval()
    known, _ = face_features(network, pre, faces.images[split.train], device, both=True)
    return known, *face_features(network, pre, faces.images[split.validation], device)
