"""A memory of training faces beside a network: it names what it knows, and can be left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from fer_core.models import build_model, describe_model
from fer_core.models.recall import EDGE, PATTERNS, Recall


def memory_of(features: torch.Tensor, labels: list[int], share: float, codes: int = 1) -> Recall:
    """Three classes, labels in order; the features are compared as they are."""
    recall = Recall(len(features), features.shape[1], 3, codes, features.shape[1])
    recall.directions.copy_(torch.eye(features.shape[1]))
    parts = functional.normalize(features, dim=1).unflatten(1, recall.patterns.shape[::2])
    recall.patterns[:, : len(features)] = parts.transpose(0, 1)
    recall.codes.copy_(torch.arange(len(features))[:, None].expand(-1, codes))
    recall.faces_per_class.copy_(torch.bincount(torch.tensor(labels), minlength=3))
    recall.width.fill_(0.05)
    recall.least.fill_(share)
    recall.most.fill_(share)
    recall.settle()
    return recall


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_known_face_gets_its_label_and_a_share_of_it() -> None:
    features, labels = drawn(6, 70), [0, 0, 1, 1, 2, 2]
    scores = torch.zeros(6, 3)  # the network itself: a third each
    whole = memory_of(features, labels, 1.0)(scores, 7 * features).exp()
    assert (whole.argmax(dim=1) == torch.tensor(labels)).all()
    assert whole.amax(dim=1).min() > 0.99
    half = memory_of(features, labels, 0.5)(scores, features).exp()
    assert torch.allclose(half, (whole + 1 / 3) / 2, atol=1e-3)
    assert torch.allclose(half.sum(dim=1), torch.ones(6), atol=1e-5)


def test_without_a_share_the_network_answers_alone() -> None:
    features, scores = drawn(4, 8), drawn(4, 3)
    answers = memory_of(features, [0, 0, 1, 2], 0.0)(scores, features)
    assert torch.allclose(answers.softmax(dim=1), scores.softmax(dim=1), atol=1e-5)


def test_alike_faces_count_more_than_others() -> None:
    known = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    recall = memory_of(known, [0, 1, 2], 1.0)
    nearly = recall.recalled(torch.tensor([[1.0, 0.7]]))[0][0]
    assert nearly[0] > nearly[1] > nearly[2]
    recall.width.fill_(1000.0)
    all_alike, nearest = recall.recalled(torch.tensor([[1.0, 0.7]]))
    assert torch.allclose(all_alike, torch.full((1, 3), 1 / 3), atol=1e-3)
    assert nearest.item() == pytest.approx(1 / 1.49**0.5)


def test_the_more_alike_the_nearest_face_the_more_is_recalled() -> None:
    recall = memory_of(torch.eye(3), [0, 1, 2], 0.0)
    recall.least.fill_(0.1)
    recall.most.fill_(0.9)
    recall.alike.fill_(0.7)
    shares = recall.share(torch.tensor([[-1.0], [0.5], [0.7], [0.73], [1.0]]))[:, 0]
    wanted = [
        0.1,
        0.1 + 0.8 / (1 + np.exp(0.2 / EDGE)),
        0.5,
        0.1 + 0.8 / (1 + np.exp(-0.03 / EDGE)),
        0.9,
    ]
    assert shares.tolist() == pytest.approx(wanted, abs=1e-3)
    scores = torch.tensor([[0.0, 0.0, 9.0]])  # the network itself: the third
    known, unlike = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 1.0, 0.9]])
    assert recall(scores, known).argmax() == 0
    assert recall(scores, unlike).argmax() == 2


@pytest.mark.parametrize("codes", [1, 2, 4, 8])
def test_likeness_is_the_cosine_with_what_the_patterns_give(codes: int) -> None:
    recall = Recall(40, 20, 3, codes, 8)
    recall.centre.copy_(drawn(20))
    recall.directions.copy_(drawn(20, 8))
    recall.patterns.copy_(drawn(*recall.patterns.shape))
    recall.codes.copy_((drawn(40, codes).abs() * 80).clamp_max(255))
    recall.settle()
    asked = drawn(5, 20)
    rows = [
        torch.cat([recall.patterns[place, code] for place, code in enumerate(face)])
        for face in recall.codes.tolist()
    ]
    wanted = functional.cosine_similarity(
        torch.stack(rows)[:, None], recall.describe(asked)[None], dim=2
    )
    assert recall.likeness(asked).shape == (40, 5)
    assert torch.allclose(recall.likeness(asked), wanted, atol=1e-5)


def test_a_face_is_written_down_as_its_nearest_patterns() -> None:
    features = drawn(6, 12)
    recall = memory_of(features, [0, 0, 1, 1, 2, 2], 1.0, codes=3)
    assert (recall.encode(3 * features) == recall.codes).all()
    assert (recall.encode(features.flip(0) + 0.01) == recall.codes.flip(0)).all()


@pytest.mark.parametrize("faces", [3, 64, 200])
def test_what_is_recalled_is_a_softmax_over_all_faces(faces: int) -> None:
    labels = sorted(number % 3 for number in range(faces))
    known = drawn(faces, 4)
    recall = memory_of(known, labels, 1.0)
    asked = known[: faces : max(faces // 5, 1)] + 0.1
    cosines = recall.likeness(asked)
    weights = (cosines / recall.width).softmax(dim=0)
    answers, nearest = recall.recalled(asked)
    assert torch.allclose(answers, weights.T @ recall.answers, atol=1e-5)
    assert torch.equal(nearest[:, 0], cosines.max(dim=0).values)


def test_a_face_can_be_left_out() -> None:
    features = drawn(6, 70)
    recall = memory_of(features, [0, 0, 1, 1, 2, 2], 1.0)
    with_it, nearest = recall.recalled(features)
    assert torch.allclose(nearest, torch.ones(6, 1))
    without, nearest = recall.recalled(features, but=torch.arange(6))
    assert nearest.max() < 0.9
    own = torch.tensor([0, 0, 1, 1, 2, 2])[:, None]
    assert with_it.gather(1, own).min() > 0.99
    assert without.gather(1, own).max() < 0.9


def test_loaded_weights_answer_as_the_ones_that_were_saved() -> None:
    features = drawn(6, 12)
    recall = memory_of(features, [0, 1, 1, 1, 2, 2], 0.5, codes=3)
    fresh = Recall(6, 12, 3, 3, 12)
    fresh.load_state_dict(recall.state_dict())
    assert fresh.labels().tolist() == [0, 1, 1, 1, 2, 2]
    asked, scores = drawn(4, 12), drawn(4, 3)
    assert torch.equal(fresh(scores, asked), recall(scores, asked))


def test_counts_that_cannot_be_break_nothing() -> None:
    recall = memory_of(torch.eye(3), [0, 1, 2], 0.5)
    for counts in ([900, 0, 0], [-5, 7, 1], [0, 0, 0]):
        recall.faces_per_class.copy_(torch.tensor(counts))
        recall.settle()
        assert recall.labels().min() >= 0
        assert recall.labels().max() <= 2
        assert torch.isfinite(recall(torch.zeros(1, 3), torch.ones(1, 3))).all()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("width", 0.0, "width must be above 0"),
        ("width", float("nan"), "width must be above 0"),
        ("most", 1.5, "shares 0 to 1"),
        ("least", 0.9, "least not above the most"),
        ("alike", float("inf"), "alike inf"),
        ("patterns", float("nan"), "patterns must be finite"),
    ],
)
def test_strange_numbers_are_refused_when_they_are_loaded(
    name: str, value: float, words: str
) -> None:
    state = memory_of(drawn(6, 12), [0, 0, 1, 1, 2, 2], 0.5).state_dict()
    state[name] = torch.full_like(state[name], value)
    with pytest.raises(ValueError, match=words):
        Recall(6, 12, 3, 1, 12).load_state_dict(state)


def test_a_memory_of_an_older_kind_or_too_large_a_one_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="older kind, without bytes; give the network a new one"):
        Recall(10, 48, 7, 0, 0)
    for faces, classes, codes in ((1_000_000, 7, 256), (1_000_000, 1000, 1)):
        with pytest.raises(ValueError, match="too large; at most"):
            Recall(faces, 48, classes, codes, 256)


def test_numbers_that_do_not_fit_the_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of codes, got 60 and 16; try numbers=48"):
        Recall(10, 48, 7, 16, 60)


def test_the_memory_counts_among_parameters_and_operations() -> None:
    plain = build_model("expressnet_demo", 7, 1, 48)
    options = {"remembered": 1000, "remembered_codes": 4, "remembered_numbers": 32}
    mindful = build_model("expressnet_demo", 7, 1, 48, options)
    before = describe_model(plain, "plain", 1, 48)
    after = describe_model(mindful, "mindful", 1, 48)
    added = 1000 * 4 + PATTERNS * 32 + 48 * 32 + 48 + 4
    assert after.parameters == before.parameters + added
    assert after.trainable == before.trainable
    operations = 2 * (48 * 32 + PATTERNS * 32 + 1000 * 7) + 1000 * 4
    assert (after.gflops - before.gflops) * 1e9 == pytest.approx(operations)
    assert plain.recall is None
