"""The losses by name: the formula of the report, and the agreement of the two."""

import pytest
import torch
from torch.nn import functional

from fer_core.runs.config import RunConfig
from fer_core.training.losses import one_hot_nll, training_loss


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def test_the_one_hot_loss_is_the_formula_of_the_report(scores: torch.Tensor) -> None:
    probabilities = scores.softmax(dim=1)
    by_hand = 0.0
    for row, label in zip(probabilities, LABELS, strict=True):
        by_hand -= float(torch.log(row[label] + 1e-10))
    assert float(one_hot_nll(probabilities, LABELS)) == pytest.approx(by_hand / 6, rel=1e-6)


def test_a_probability_of_zero_stays_finite() -> None:
    certain = torch.tensor([[1.0, 0.0]])
    assert float(one_hot_nll(certain, torch.tensor([1]))) == pytest.approx(23.0259, abs=1e-3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 0.5, 3.0])])
def test_both_losses_agree(
    scores: torch.Tensor, smoothing: float, weights: torch.Tensor | None
) -> None:
    if smoothing and weights is not None:
        pytest.skip("torch weights the spread part by each class, the one-hot loss by the true one")
    values = [
        training_loss(RunConfig(loss=name, label_smoothing=smoothing), scores, LABELS, weights)
        for name in ("cross_entropy", "one_hot_nll")
    ]
    assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-5)


def test_the_named_loss_is_the_one_that_is_taken(scores: torch.Tensor) -> None:
    taken = training_loss(RunConfig(label_smoothing=0.2), scores, LABELS, None)
    assert torch.equal(taken, functional.cross_entropy(scores, LABELS, label_smoothing=0.2))
