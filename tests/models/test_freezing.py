"""The first layers of a network keep their weights, and their statistics with them."""

import pytest
import torch
from torch import nn

from fer_core.models import ModelError, build_model
from fer_core.models.freezing import freeze_first, set_training


def _small() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)),
        *(nn.Flatten(), nn.Linear(4 * 16, 3)),
    )


@pytest.mark.parametrize(
    ("share", "layers"), [(0, 0), (0.01, 1), (0.2, 1), (0.4, 2), (0.6, 3), (0.95, 4)]
)
def test_a_share_of_the_layers_is_frozen_from_the_input_on(share: float, layers: int) -> None:
    model = _small()
    count = freeze_first(model, share)
    holding = [model[0], model[1], model[3], model[4], model[6]]
    frozen = [not any(w.requires_grad for w in layer.parameters()) for layer in holding]
    assert frozen == [place < layers for place in range(5)]
    assert count == sum(w.numel() for layer in holding[:layers] for w in layer.parameters())


@pytest.mark.parametrize("share", [-0.1, 0.96, float("nan")])
def test_another_share_is_refused(share: float) -> None:
    with pytest.raises(ModelError, match=r"frozen share must be 0 to 0\.95, got"):
        freeze_first(_small(), share)


@pytest.mark.parametrize("name", ["expressnet", "two_phase", "resnet18", "timm/test_vit"])
def test_what_is_frozen_stays_and_the_rest_moves(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, 7, 1, 48, fetch_weights=False)
    freeze_first(model, 0.5)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    frozen = {key for key, weights in model.named_parameters() if not weights.requires_grad}
    kept = {key.rpartition(".")[0] for key in frozen}  # the layers, with their statistics
    set_training(model)
    weights = [part for part in model.parameters() if part.requires_grad]
    optimizer = torch.optim.SGD(weights, 0.1)
    model(torch.randn(8, 1, 48, 48)).square().mean().backward()
    optimizer.step()
    moved = {
        key for key, value in model.state_dict().items() if not torch.equal(value, before[key])
    }
    assert not any(key.rpartition(".")[0] in kept for key in moved)
    assert "running_mean" in " ".join(moved) or name == "timm/test_vit"
    assert len(moved) > 4


def test_dropout_and_free_layers_are_in_training() -> None:
    model = nn.Sequential(_small(), nn.Dropout())
    model.eval()
    freeze_first(model, 0.4)
    set_training(model)
    assert [layer.training for layer in model[0]][:5] == [True, False, True, True, True]
    assert model[1].training
