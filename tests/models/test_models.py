"""Every network: right shape, gradients everywhere, counted parameters, able to learn a batch."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from fer_core.models import MODELS, ModelError, build_model, describe_model
from fer_core.models.competition import CompetitionBaseline


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_logits_and_gradients(name: str, channels: int) -> None:
    torch.manual_seed(0)
    model = build_model(name, 7, channels, 48)
    logits = model(torch.randn(2, channels, 48, 48))
    assert logits.shape == (2, 7)
    logits.square().sum().backward()
    assert all(weights.grad is not None for weights in model.parameters())


@pytest.mark.parametrize("name", sorted(MODELS))
def test_one_batch_can_be_learnt_by_heart(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, 7, 1, 48)
    images, labels = 0.2 * torch.randn(14, 1, 48, 48), torch.arange(14) % 7
    for image, label in zip(images, labels, strict=True):
        image[:, 6 * label : 6 * label + 6, 8:40] += 2  # a bar whose height tells the class
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(80):
        loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            break
    assert loss < 0.1


def test_the_competition_baseline_is_as_described() -> None:
    model = CompetitionBaseline(7)
    assert model.flattened == 9216
    widths = [layer.out_features for layer in model.classifier if isinstance(layer, nn.Linear)]
    assert widths == [2304, 1152, 576, 288, 144, 7]


def test_the_competition_baseline_names_the_sizes_it_takes() -> None:
    with pytest.raises(ModelError, match="multiple of 8, got 50; try 48"):
        build_model("competition_baseline", 7, 1, 50)


def test_a_multiply_add_counts_as_two() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(64, 2))
    facts = describe_model(model, "tiny", 1, 4)
    assert facts.gflops * 1e9 == 2 * (16 * 9 * 4) + 2 * (64 * 2)
    assert facts.parameters == facts.trainable == 36 + 130


def test_frozen_weights_are_not_trainable() -> None:
    model = nn.Linear(16, 2)
    model.bias.requires_grad_(False)
    facts = describe_model(nn.Sequential(nn.Flatten(), model), "tiny", 1, 4)
    assert (facts.parameters, facts.trainable) == (34, 32)


def test_an_unknown_name_or_option_says_so() -> None:
    with pytest.raises(ModelError, match="unknown model 'resnet99'"):
        build_model("resnet99", 7, 1, 48)
    with pytest.raises(ModelError, match="does not take the options"):
        build_model("expressnet", 7, 1, 48, {"colour": "red"})


def test_the_shipped_network_stays_small() -> None:
    facts = describe_model(build_model("expressnet", 7, 1, 48), "expressnet", 1, 48)
    assert facts.parameters < 1_000_000
    assert facts.gflops < 0.1
