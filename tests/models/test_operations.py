"""Counted operations are twice fvcore's, which counts a multiply-add as one."""

import logging
import warnings
from collections.abc import Iterator

import pytest
import timm
import torch
from timm.layers import set_fused_attn
from torch import nn

from fer_core.models import MODELS, build_model, describe_model
from fer_core.models.facts import count_operations

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore uses torch.jit, which warns of itself
    from fvcore.nn import FlopCountAnalysis


@pytest.fixture
def plain_attention() -> Iterator[None]:
    """fvcore does not know torch's fused attention; timm can spell it out as matrix products."""
    set_fused_attn(False)
    yield
    set_fused_attn(True)


def _twice_fvcore(model: nn.Module, images: torch.Tensor) -> float:
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    count = FlopCountAnalysis(model.eval(), images)
    return 2 * count.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


@pytest.mark.filterwarnings("ignore")  # as above
@pytest.mark.parametrize(
    ("name", "channels", "size"),
    [
        *((name, 1, 48) for name in MODELS),
        ("custom_cnn", 3, 48),
        ("six_class_cnn", 3, 96),
        *((f"timm/{name}", 3, 64) for name in ("resnet18", "efficientnet_b0", "convnext_atto")),
        ("timm/mobilenetv3_small_100", 1, 48),
        ("timm/vit_tiny_patch16_224", 3, 48),
        ("timm/vit_tiny_patch16_224", 3, 224),
    ],
)
@pytest.mark.usefixtures("plain_attention")
def test_operations_are_twice_fvcores(name: str, channels: int, size: int) -> None:
    options = {"support": 50, "components": 10} if name == "svm" else None
    model = build_model(name, 7, channels, size, options, fetch_weights=False)
    images = torch.zeros(1, channels, size, size)
    assert count_operations(model, images) == pytest.approx(_twice_fvcore(model, images), rel=0.01)


def test_fused_attention_counts_as_spelt_out() -> None:
    images, counts = torch.zeros(1, 3, 64, 64), []
    for fused in (False, True):
        set_fused_attn(fused)
        model = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=7)
        counts.append(count_operations(model, images))
    assert counts[0] == counts[1]


def test_a_multiply_add_counts_as_two() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(64, 2))
    facts = describe_model(model, "tiny", 1, 4)
    assert facts.gflops * 1e9 == 2 * (16 * 9 * 4) + 2 * (64 * 2)
    assert facts.parameters == facts.trainable == 36 + 130


def test_normalisation_counts_and_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 1, bias=False), nn.BatchNorm2d(4), nn.BatchNorm2d(4))
    model[1].eval()
    before = model.state_dict()["2.running_mean"].clone()
    assert count_operations(model, torch.ones(1, 1, 5, 5)) == 2 * 4 * 25 + 2 * 4 * 4 * 25
    assert [layer.training for layer in model] == [True, False, True]
    assert torch.equal(model.state_dict()["2.running_mean"], before)
