"""ImageNet weights: taken from torch's cache, and a plain refusal where no network is."""

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from fer_core.models import ModelError, build_model, vgg


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no network; returns the folder where torch keeps weights."""

    def refuse(*_: Any, **named: Any) -> None:
        assert named["timeout"] <= 10
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["vgg19_frozen", "vgg19_full", "resnet18", "timm/resnet18"])
def test_without_a_network_it_says_what_to_do_at_once(name: str) -> None:
    begin = time.monotonic()
    with pytest.raises(ModelError) as told:
        build_model(name, 7, 1, 48, {"pretrained": True})
    assert time.monotonic() - begin < 20
    text = str(told.value)
    assert "could not be fetched (no route to host)" in text
    assert text.endswith("connect this machine to the network, or set model_options.pretrained=no")


@pytest.mark.usefixtures("offline")
def test_pretrained_is_what_these_networks_do_unless_told_otherwise() -> None:
    with pytest.raises(ModelError, match="the ImageNet weights of resnet18 could not"):
        build_model("resnet18", 7, 1, 48)
    build_model("resnet18", 7, 1, 48, {"pretrained": False})
    build_model("resnet18", 7, 1, 48, {"pretrained": True}, fetch_weights=False)


@pytest.mark.usefixtures("offline")
def test_a_network_without_published_weights_says_so() -> None:
    with pytest.raises(ModelError, match="no weights are published for timm/levit_384_s8"):
        build_model("timm/levit_384_s8", 7, 1, 64, {"pretrained": True})


def test_cached_weights_are_loaded_without_asking_the_network(offline: Path) -> None:
    torch.manual_seed(0)
    published = torchvision.models.resnet18()
    offline.mkdir(parents=True)
    torch.save(published.state_dict(), offline / "resnet18-f37072fd.pth")
    model = build_model("resnet18", 7, 1, 48)
    kept, theirs = model.network.state_dict(), published.state_dict()
    differing = {name for name in kept if not torch.equal(kept[name], theirs[name])}
    assert differing == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize("name", ["vgg19_frozen", "vgg19_full"])
def test_vgg19_takes_its_convolutions_from_the_published_weights(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    published = {
        f"features.{name}": torch.rand_like(value)
        for name, value in vgg._vgg19_features(False).state_dict().items()
    }
    monkeypatch.setattr(
        vgg, "torchvision_weights", lambda name: {**published, "classifier.0.bias": torch.ones(1)}
    )
    model = build_model(name, 7, 1, 48)
    state = model.features.state_dict()
    assert len(state) == 32
    assert all(torch.equal(value, published[f"features.{key}"]) for key, value in state.items())
