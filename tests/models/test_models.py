"""Every network: right shape, gradients, published sizes, able to learn a batch by heart."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from fer_core.models import MODELS, ModelError, build_model, describe_model
from fer_core.models.class_targeted import OUTPUTS

#: The support vector machine is fitted, not trained by gradients: see test_kernel_machine.py.
TRAINED = [name for name in MODELS if name != "svm"]


def _build(name: str, channels: int = 1, size: int = 48, **options: object) -> nn.Module:
    return build_model(name, 7, channels, size, options, fetch_weights=False)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", TRAINED)
def test_scores_and_gradients(name: str, channels: int) -> None:
    torch.manual_seed(0)
    model = _build(name, channels)
    scores = model(torch.randn(2, channels, 48, 48))
    assert scores.shape == (2, 7)
    scores.square().sum().backward()
    for weights in model.parameters():
        assert (weights.grad is not None) == weights.requires_grad
    if name != "vgg19_frozen":
        assert all(weights.requires_grad for weights in model.parameters())


#: Network → (pixels, images, rate) where the test's own are too slow for it.
LEARNT_WITH = {
    "expressnet_demo": (48, 14, 3e-3),
    "two_phase": (48, 14, 3e-3),
    "custom_cnn": (24, 14, 3e-3),
    "six_class_cnn": (24, 14, 3e-3),
    "competition_baseline": (24, 14, 1e-3),
    "resnet18": (32, 14, 1e-3),
    "vgg19_frozen": (32, 7, 2e-3),
    "vgg19_full": (32, 7, 3e-4),
}


@pytest.mark.parametrize("name", TRAINED)
def test_one_batch_can_be_learnt_by_heart(name: str) -> None:
    size, count, rate = LEARNT_WITH.get(name, (48, 14, 1e-3))
    torch.manual_seed(0)
    model = _build(name, size=size)
    for layer in model.modules():  # what forgets on purpose is off here
        if isinstance(layer, nn.Dropout | nn.Dropout2d):
            layer.p = 0.0
    images, labels = 0.2 * torch.randn(count, 1, size, size), torch.arange(count) % 7
    step = size // 8
    for image, label in zip(images, labels, strict=True):
        image[:, step * label : step * (label + 1), size // 6 : -size // 6] += 2  # a bar per class
    wanted = 0.97 if name == "class_targeted" else 0.1  # bounded scores have a floor of 0.59
    weights = [part for part in model.parameters() if part.requires_grad]
    optimizer = torch.optim.Adam(weights, rate)
    for _ in range(120):
        scores = model(images)
        loss = functional.cross_entropy(scores, labels)
        if loss < wanted:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < wanted
    assert (scores.argmax(dim=1) == labels).all()


@pytest.mark.parametrize(
    ("name", "channels", "parameters", "trainable"),
    [
        ("mlp", 1, 1_353_799, 1_353_799),
        ("custom_cnn", 3, 353_287, 353_031),
        ("vgg19_frozen", 3, 20_524_327, 499_943),
        ("vgg19_full", 3, 20_027_975, 20_027_975),
    ],
)
def test_published_parameter_counts_as_keras_counts(
    name: str, channels: int, parameters: int, trainable: int
) -> None:
    facts = describe_model(_build(name, channels), name, channels, 48)
    assert (facts.keras_parameters, facts.trainable) == (parameters, trainable)


def test_the_shipped_network_keeps_its_size() -> None:
    facts = describe_model(_build("expressnet"), "expressnet", 1, 48)
    assert facts.parameters == facts.trainable == 688_059
    assert facts.gflops < 0.1


@pytest.mark.parametrize(
    ("name", "channels", "width"),
    [
        ("two_phase_template", 1, 32 * 12 * 12),
        ("two_phase", 1, 32 * 12 * 12),
        ("class_targeted", 1, 1764),
        ("competition_baseline", 1, 9216),
        ("custom_cnn", 3, 1024),
        ("vgg19_frozen", 3, 512),
    ],
)
def test_flattened_widths_are_the_published_ones(name: str, channels: int, width: int) -> None:
    model = _build(name, channels)
    assert model.flattened == width
    first = next(layer for layer in model.classifier if isinstance(layer, nn.Linear))
    assert first.in_features == width


def _layers(model: nn.Module, kind: type | tuple[type, ...]) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("two_phase_template", [256, 7]),
        ("two_phase", [256, 100, 7]),
        ("class_targeted", [70, 7]),
        ("competition_baseline", [2304, 1152, 576, 288, 144, 7]),
        ("mlp", [512, 256, 128, 64, 16, 7]),
        ("custom_cnn", [128, 64, 16, 7]),
        ("vgg19_frozen", [512, 384, 96, 32, 7]),
        ("vgg19_full", [7]),
        ("six_class_cnn", [128, 7]),
    ],
)
def test_fully_connected_widths_are_the_published_ones(name: str, widths: list[int]) -> None:
    assert [layer.out_features for layer in _layers(_build(name), nn.Linear)] == widths


@pytest.mark.parametrize(
    ("name", "convolutions"),
    [
        ("two_phase_template", [(16, 5), (32, 3)]),
        ("two_phase", [(32, 5), (32, 3), (32, 3), (32, 3)]),
        ("class_targeted", [(44, 5), (40, 5), (40, 1), (36, 3)]),
        ("competition_baseline", [(8, 3), (32, 3), (64, 3), *[(128, 3)] * 2, *[(256, 3)] * 2]),
        ("custom_cnn", [(256, 3), (128, 2), (64, 3)]),
        ("six_class_cnn", [(width, 3) for width in (32, 64, 128, 256) for _ in range(2)]),
    ],
)
def test_convolutions_are_the_published_ones(name: str, convolutions: list[tuple]) -> None:
    found = [
        (layer.out_channels, layer.kernel_size[0]) for layer in _layers(_build(name), nn.Conv2d)
    ]
    assert found == convolutions


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("two_phase", [0.25, 0.25, 0.5, 0.5]),
        ("class_targeted", [0.5]),
        ("mlp", [0.2, 0.2]),
        ("custom_cnn", [0.2, 0.2, 0.2]),
        ("six_class_cnn", [0.2, 0.3, 0.4, 0.5, 0.5]),
    ],
)
def test_dropout_is_the_published_one(name: str, shares: list[float]) -> None:
    assert [layer.p for layer in _layers(_build(name), (nn.Dropout, nn.Dropout2d))] == shares


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_class_targeted_ends_as_it_is_told(output: str) -> None:
    torch.manual_seed(0)
    model = _build("class_targeted", output=output, hidden=30).eval()
    images = torch.randn(5, 1, 48, 48)
    raw = model.classifier(model.features(images))
    wanted = {"tanh": raw.tanh(), "sigmoid": raw.sigmoid(), "softmax": raw.softmax(dim=1)}
    assert torch.equal(model(images), wanted[output])
    assert _layers(model, nn.Linear)[0].out_features == 30


@pytest.mark.parametrize("size", [32, 50, 64])
@pytest.mark.parametrize("name", [name for name in MODELS if "vgg" not in name])
def test_other_sizes_work(name: str, size: int) -> None:
    model = build_model(name, 6, 3, size, fetch_weights=False).eval()
    assert model(torch.zeros(1, 3, size, size)).shape == (1, 6)


@pytest.mark.parametrize(
    ("name", "size", "usable"), [("class_targeted", 20, 21), ("custom_cnn", 19, 20)]
)
def test_a_size_too_small_names_a_usable_one(name: str, size: int, usable: int) -> None:
    with pytest.raises(ModelError, match=f"{size} px to nothing; image_size must be.*{usable},"):
        _build(name, size=size)
    _build(name, size=usable)


@pytest.mark.parametrize("name", ["vgg19_frozen", "vgg19_full"])
def test_vgg19_says_that_it_needs_32_pixels(name: str) -> None:
    with pytest.raises(ModelError, match="at least 32"):
        _build(name, 3, 31)


def test_grey_is_colour_three_times_for_networks_of_three_channels() -> None:
    torch.manual_seed(0)
    model = _build("resnet18").eval()
    grey = torch.randn(2, 1, 48, 48)
    assert torch.equal(model(grey), model(grey.expand(-1, 3, -1, -1)))


def test_frozen_weights_are_not_trainable() -> None:
    model = nn.Linear(16, 2)
    model.bias.requires_grad_(False)
    facts = describe_model(nn.Sequential(nn.Flatten(), model), "tiny", 1, 4)
    assert (facts.parameters, facts.trainable) == (34, 32)


def test_the_floor_of_bounded_scores_is_as_documented() -> None:
    scores = torch.tensor([[1.0, *[-1.0] * 6]])
    loss = functional.cross_entropy(scores, torch.tensor([0])).item()
    assert loss == pytest.approx(math.log(1 + 6 * math.exp(-2)))
    assert loss == pytest.approx(0.59, abs=0.01)
