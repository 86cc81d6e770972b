"""Which epoch is the best, and after which one a run stops early."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from fer_core.runs.config import RunConfig
from fer_core.training import loop
from fer_core.training.dataset import load_run_data
from fer_core.training.loop import Training

#: Validation accuracy and loss of six epochs: the accuracy rises throughout, the loss falls once.
RISING = [(0.10 + 0.01 * epoch, loss) for epoch, loss in enumerate((2.0, 1.5, 1.6, 1.7, 1.8, 1.9))]
#: The second epoch is the best, and the fourth is as good.
LEVEL = [(share, 1.0) for share in (0.1, 0.3, 0.2, 0.3, 0.2, 0.2)]


def _trained(
    config: RunConfig, scores: Sequence[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> tuple[Training, list[bool]]:
    """A run whose epochs score so, and which of them were the best so far."""
    told = iter(scores)

    def scripted(*_: object) -> dict[str, float]:
        accuracy, loss = next(told)
        return {
            "validation_accuracy": accuracy,
            "validation_macro_f1": accuracy,
            "validation_loss": loss,
        }

    monkeypatch.setattr(loop, "validation_scores", scripted)
    config = replace(config, epochs=len(scores))
    training = Training(config, load_run_data(config), torch.device("cpu"))
    return training, [epoch.improved for epoch in training.epochs()]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 6), (0, 7)])
def test_it_stops_after_so_many_epochs_without_a_better_one(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch, patience: int, epochs: int
) -> None:
    config = replace(tiny_config, early_stopping_patience=patience)
    scores = [(share, 1.0) for share in (0.1, 0.3, 0.2, 0.4, 0.4, 0.4, 0.4)]
    assert len(_trained(config, scores, monkeypatch)[1]) == epochs


def test_what_is_watched_need_not_be_what_chooses(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(tiny_config, early_stopping_patience=2)
    training, improved = _trained(config, RISING, monkeypatch)
    assert improved == [True] * 6
    config = replace(config, early_stopping_by="validation_loss")
    training, improved = _trained(config, RISING, monkeypatch)
    assert (training.stop_epoch, training.best_epoch, len(improved)) == (2, 4, 4)


def test_of_two_epochs_as_good_as_each_other_the_first_is_the_best(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, improved = _trained(tiny_config, LEVEL, monkeypatch)
    assert improved == [True, True, False, False, False, False]
    assert training.best_epoch == 2
