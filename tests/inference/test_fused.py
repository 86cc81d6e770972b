"""A fused network answers as the checkpoint does, and one that cannot be fused is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fer_core.data.preprocess import Preprocessing
from fer_core.inference.detect import FaceDetector
from fer_core.inference.fused import TOLERANCE, fused_network, fused_probabilities
from fer_core.inference.predictor import Predictor
from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.checkpoint import Checkpoint, load_checkpoint


class Branching(nn.Module):
    """Its forward pass depends on a value, which no tracing can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.classifier = nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.convolution(images).mean(dim=(2, 3))
        if features.sum() > 0:
            features = -features
        return self.classifier(features)


def make_checkpoint(model: nn.Module, temperature: float = 1.0) -> Checkpoint:
    preprocessing = Preprocessing(image_size=24)
    return Checkpoint(
        Path(), model.eval(), preprocessing, ("sad", "happy"), "", 0, 0.0, None, temperature
    )


def noise(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 1), dtype=np.uint8)


def test_shipped_network_has_no_batch_norm_left_and_answers_the_same() -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    fused = fused_network(checkpoint.model)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fused.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in checkpoint.model.modules())
    faces = noise(7, 48)
    answers = fused_probabilities(checkpoint)(faces)
    assert np.abs(answers - checkpoint.probabilities(faces)).max() < TOLERANCE
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_network_that_branches_on_values_is_kept_as_it_is() -> None:
    checkpoint = make_checkpoint(Branching())
    assert fused_network(checkpoint.model) is None
    assert fused_probabilities(checkpoint) == checkpoint.probabilities


def test_temperature_counts() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    faces = noise(3, 24)
    for temperature in (0.2, 3.0):
        checkpoint = make_checkpoint(model, temperature)
        answers = fused_probabilities(checkpoint)(faces)
        assert np.allclose(answers, checkpoint.probabilities(faces), atol=TOLERANCE)


def test_network_whose_fused_answers_differ_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 24), nn.Flatten())
    wrong = nn.Sequential(nn.Conv2d(1, 2, 24), nn.Flatten())
    checkpoint = make_checkpoint(model)
    monkeypatch.setattr("fer_core.inference.fused.fused_network", lambda _network: wrong)
    assert fused_probabilities(checkpoint) == checkpoint.probabilities


def test_predictor_gives_the_checkpoints_probabilities() -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    picture = np.repeat(noise(1, 48)[0], 3, axis=2)
    (whole,) = Predictor(checkpoint, FaceDetector()).predict(picture, whole_picture=True)
    expected = checkpoint.probabilities(whole.face[None], mirrored=True)[0]
    assert np.allclose(list(whole.probabilities.values()), expected, atol=TOLERANCE)
