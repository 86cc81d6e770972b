"""A memory of training faces beside a network: it names what it knows, and can be left out."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from fer_core.models import build_model, describe_model
from fer_core.models.recall import DIMENSIONS, Recall


def memory_of(features: torch.Tensor, labels: list[int], share: float) -> Recall:
    """Three classes; the features are compared as they are, as far as their first 64 numbers."""
    recall = Recall(len(features), features.shape[1], 3)
    recall.directions.copy_(torch.eye(*recall.directions.shape))
    recall.keys.copy_(functional.normalize(features @ recall.directions, dim=1))
    recall.labels.copy_(torch.tensor(labels))
    recall.width.fill_(0.05)
    recall.share.fill_(share)
    return recall


def test_a_known_face_gets_its_label_and_a_share_of_it() -> None:
    features = torch.randn(6, 70, generator=torch.Generator().manual_seed(0))
    labels = [0, 1, 2, 0, 1, 2]
    scores = torch.zeros(6, 3)  # the network itself: a third each
    whole = memory_of(features, labels, 1.0)(scores, 7 * features).exp()
    assert (whole.argmax(dim=1) == torch.tensor(labels)).all()
    assert whole.amax(dim=1).min() > 0.99
    half = memory_of(features, labels, 0.5)(scores, features).exp()
    assert torch.allclose(half, (whole + 1 / 3) / 2, atol=1e-3)
    assert torch.allclose(half.sum(dim=1), torch.ones(6), atol=1e-5)


def test_without_a_share_the_network_answers_alone() -> None:
    features, scores = torch.randn(4, 8), torch.randn(4, 3)
    answers = memory_of(features, [0, 0, 1, 2], 0.0)(scores, features)
    assert torch.allclose(answers.softmax(dim=1), scores.softmax(dim=1), atol=1e-5)


def test_alike_faces_count_more_than_others() -> None:
    known = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    recall = memory_of(known, [0, 1, 2], 1.0)
    nearly = recall.recalled(torch.tensor([[1.0, 0.7]]))[0]
    assert nearly[0] > nearly[1] > nearly[2]
    recall.width.fill_(1000.0)
    assert torch.allclose(recall.recalled(torch.tensor([[1.0, 0.7]])), torch.full((1, 3), 1 / 3),
                          atol=1e-3)  # fmt: skip


def test_a_label_out_of_range_breaks_nothing() -> None:
    recall = memory_of(torch.eye(3), [0, 1, 900], 0.5)
    assert torch.isfinite(recall(torch.zeros(1, 3), torch.ones(1, 3))).all()


def test_the_memory_counts_among_parameters_and_operations() -> None:
    plain = build_model("expressnet_demo", 7, 1, 48)
    mindful = build_model("expressnet_demo", 7, 1, 48, {"remembered": 1000})
    before = describe_model(plain, "plain", 1, 48)
    after = describe_model(mindful, "mindful", 1, 48)
    size = min(DIMENSIONS, 48)
    added = 1000 * size + 48 * size + 48 + 2
    assert after.parameters == before.parameters + added
    assert after.trainable == before.trainable
    operations = 2 * (48 * size + 1000 * size + 1000 * 7)
    assert (after.gflops - before.gflops) * 1e9 == pytest.approx(operations)
    assert plain.recall is None
