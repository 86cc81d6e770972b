"""timm's networks by name: sizes, colours, refusals, search, and weights without a network."""

import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from fer_core.models import MODELS, ModelError, build_model, known_model, search_backbones

NAMES = ("resnet18", "efficientnet_b0", "mobilenetv3_small_100", "vit_tiny_patch16_224")


@pytest.mark.parametrize(("channels", "size"), [(1, 32), (3, 48), (1, 50)])
@pytest.mark.parametrize("name", NAMES)
def test_any_size_from_32_in_grey_or_colour(name: str, channels: int, size: int) -> None:
    torch.manual_seed(0)
    model = build_model(f"timm/{name}", 5, channels, size)
    scores = model(torch.randn(2, channels, size, size))
    assert scores.shape == (2, 5)
    scores.square().sum().backward()
    assert all(weights.grad is not None for weights in model.parameters())


def test_a_network_that_takes_no_small_pictures_says_so_and_can_enlarge_them() -> None:
    with pytest.raises(ModelError, match=r"levit_128 does not take pictures of 50 px .*resize=224"):
        build_model("timm/levit_128", 7, 1, 50)
    model = build_model("timm/levit_128", 7, 1, 50, {"resize": 64})
    assert model(torch.zeros(2, 1, 50, 50)).shape == (2, 7)


def test_pictures_below_32_pixels_are_refused() -> None:
    with pytest.raises(ModelError, match="at least 32 px, got 24"):
        build_model("timm/resnet18", 7, 1, 24)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm/resnet81", r"no model 'resnet81'; did you mean timm/resnet18, "),
        ("timm/resnet18.a1_in2k", r"no model .*; did you mean timm/resnet18\.a1_in1k"),
        ("timm/hf-hub:someone/else", "no model 'hf-hub:someone/else'"),
        ("timm/../../etc", "no model"),
        ("timm/", "models --search TEXT"),
    ],
)
def test_an_unknown_name_has_near_ones(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        known_model(name)


def test_names_with_a_tag_are_known() -> None:
    known_model("timm/resnet18.a1_in1k")
    known_model("timm/resnet18")


def test_own_networks_need_no_timm() -> None:
    code = (
        "import sys; from fer_core.models import known_model, options_text, build_model; "
        "known_model('mlp'); options_text('timm/resnet18'); build_model('mlp', 7, 1, 48); "
        "print('timm' in sys.modules, 'torchvision' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "False False", done.stderr


def test_search_takes_every_word_and_lists_own_networks_first() -> None:
    everything = search_backbones()
    assert everything[: len(MODELS)] == list(MODELS)
    assert len(everything) > 1000
    assert all(name.startswith("timm/") for name in everything[len(MODELS) :])
    assert search_backbones("ResNet18")[:2] == ["resnet18", "timm/legacy_seresnet18"]
    small = search_backbones("vit tiny 224")
    assert "timm/vit_tiny_patch16_224" in small
    assert all("vit" in name and "tiny" in name and "224" in name for name in small)
    assert len(search_backbones("vit", limit=3)) == 3
    assert search_backbones("no such network") == []


def test_an_option_of_no_use_is_refused() -> None:
    with pytest.raises(ModelError, match="does not take the options img_size; it has pretrained"):
        build_model("timm/resnet18", 7, 1, 48, {"img_size": 64})
    model = build_model("timm/resnet18", 7, 1, 48, {"drop_rate": 0.3})
    assert model.drop_rate == 0.3


def test_published_weights_come_from_the_hubs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the Hub's client would put it is loaded, for any number of classes."""
    torch.manual_seed(0)
    published = timm.create_model("test_resnet")
    folder = tmp_path / "models--timm--test_resnet.r160_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    save_file(published.state_dict(), folder / "snapshots" / "abc" / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    model = build_model("timm/test_resnet", 7, 3, 48, {"pretrained": True})
    kept, theirs = model.state_dict(), published.state_dict()
    same = [name for name in kept if torch.equal(kept[name], theirs[name])]
    assert len(kept) - len(same) == 2  # the last layer's weight and bias
    other = build_model("timm/test_resnet", 7, 3, 48, {"pretrained": True}, fetch_weights=False)
    assert not torch.equal(other.state_dict()["conv1.0.weight"], theirs["conv1.0.weight"])
