"""A fused network answers as the checkpoint does, and one that cannot be fused is left alone."""

from __future__ import annotations

import threading
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
    """Its forward pass depends on a value, and one of its convolutions runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.again = nn.Conv2d(4, 4, 1)
        self.again_norm = nn.BatchNorm2d(4)
        self.classifier = nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.norm(self.convolution(images))
        features = self.again(self.again_norm(self.again(features))).mean(dim=(2, 3))
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
    fused = fused_network(checkpoint.model, torch.zeros(1, 1, 48, 48))
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fused.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in checkpoint.model.modules())
    faces = noise(7, 48)
    answers = fused_probabilities(checkpoint)(faces)
    assert np.abs(answers - checkpoint.probabilities(faces)).max() < TOLERANCE
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_network_that_branches_and_uses_a_part_twice_is_fused_where_it_can_be() -> None:
    torch.manual_seed(0)
    model = Branching()
    for norm in (model.norm, model.again_norm):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    checkpoint = make_checkpoint(model)
    fused = fused_network(model, torch.zeros(1, 1, 24, 24))
    assert isinstance(fused.norm, nn.Identity)
    assert isinstance(fused.again_norm, nn.BatchNorm2d), "its convolution has other work, too"
    faces = noise(5, 24)
    quick = fused_probabilities(checkpoint)
    assert quick != checkpoint.probabilities
    assert np.allclose(quick(faces), checkpoint.probabilities(faces), atol=TOLERANCE)


class TakenTwice(nn.Module):
    """What a convolution gives goes to its batch norm and, in one of four ways, elsewhere too."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.convolution = nn.Conv2d(1, 4, 3)
        self.norm, self.other_norm = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        for norm in (self.norm, self.other_norm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
        self.classifier = nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        made = self.convolution(images)
        if self.way == "changed in place":
            made.relu_()
        features = self.norm(input=made) if self.way == "by keyword" else self.norm(made)
        if self.way == "added":
            features = made + features
        if self.way == "two norms":
            features = features + self.other_norm(made)
        return self.classifier(features.mean(dim=(2, 3)))


@pytest.mark.parametrize("way", ["changed in place", "by keyword", "added", "two norms"])
def test_a_convolution_whose_output_goes_elsewhere_too_is_left_alone(way: str) -> None:
    torch.manual_seed(0)
    checkpoint = make_checkpoint(TakenTwice(way))
    fused = fused_network(checkpoint.model, torch.zeros(1, 1, 24, 24))
    assert isinstance(fused.norm, nn.BatchNorm2d)
    images = torch.rand(3, 1, 24, 24)
    with torch.no_grad():
        assert torch.allclose(fused(images), checkpoint.model(images), atol=1e-5)


def test_a_network_without_convolutions_is_kept_as_it_is() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(24 * 24, 2))
    checkpoint = make_checkpoint(model)
    assert fused_network(model, torch.zeros(1, 1, 24, 24)) is None
    assert fused_probabilities(checkpoint) == checkpoint.probabilities


def test_fusing_leaves_the_network_and_others_at_work_alone() -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
    images, faults = torch.zeros(1, 1, 8, 8), []
    wanted, done = other(images), threading.Event()

    def work() -> None:
        while not done.is_set():
            try:
                if not torch.equal(other(images), wanted):
                    faults.append("another answer")
            except Exception as error:
                faults.append(error)

    before = {name: value.clone() for name, value in checkpoint.model.state_dict().items()}
    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(5):
        fused_probabilities(checkpoint)
    done.set()
    thread.join()
    assert not faults
    assert all(torch.equal(value, before[name]) for name, value in
               checkpoint.model.state_dict().items())  # fmt: skip


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
    monkeypatch.setattr("fer_core.inference.fused.fused_network", lambda *_: wrong)
    assert fused_probabilities(checkpoint) == checkpoint.probabilities


def test_predictor_gives_the_checkpoints_probabilities() -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / "expressnet")
    picture = np.repeat(noise(1, 48)[0], 3, axis=2)
    (whole,) = Predictor(checkpoint, FaceDetector()).predict(picture, whole_picture=True)
    expected = checkpoint.probabilities(whole.face[None], mirrored=True)[0]
    assert np.allclose(list(whole.probabilities.values()), expected, atol=TOLERANCE)
