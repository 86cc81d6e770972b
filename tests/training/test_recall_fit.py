"""The numbers of a memory are those that make the validation labels most probable."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from fer_core.training import recall_fit
from fer_core.training.recall_fit import answers_with, choose_shares, fit_recall


def _faces(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Features that tell three classes, scores that tell them badly, and the labels."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    features = torch.eye(3, 8)[labels] * 2 + torch.randn(count, 8, generator=random)
    scores = torch.eye(3)[labels] * 0.5 + torch.randn(count, 3, generator=random)
    return features, scores, labels.numpy()


def test_no_other_numbers_that_are_tried_make_the_labels_likelier() -> None:
    known, _, labels = _faces(90, seed=0)
    recall = fit_recall(known, labels, classes=3, codes=4, numbers=8)
    features, scores, truth = _faces(60, seed=1)

    def loss() -> float:
        answers = answers_with(recall, features, scores)
        return float(torch.nn.functional.nll_loss(answers, torch.from_numpy(truth)))

    found = choose_shares(recall, features, scores, truth)
    assert {name: float(getattr(recall, name)) for name in found} == pytest.approx(found)
    lowest = loss()
    names = ("width", "least", "most", "alike")
    tried = (recall_fit.WIDTHS, recall_fit.LEAST, recall_fit.MOST[::3], recall_fit.ALIKE[::2])
    for values in itertools.product(*tried):
        if values[1] <= values[2]:
            for name, value in zip(names, values, strict=True):
                getattr(recall, name).fill_(value)
            assert loss() >= lowest - 1e-6, values
    assert 0 <= found["least"] <= found["most"] <= 1
