"""Options of a network, and what is said of unknown names, options and values."""

import pytest
import torch

from fer_core.models import (
    MODELS,
    ModelError,
    build_model,
    find_network,
    known_model,
    options_text,
)


def test_an_unknown_name_lists_near_ones_and_all() -> None:
    with pytest.raises(ModelError, match=r"unknown model 'resnet19'; did you mean resnet18, "):
        known_model("resnet19")
    with pytest.raises(ModelError, match=r"known: expressnet, .*timm/NAME"):
        build_model("x", 7, 1, 48)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("expressnet", {"colour": "red"}, "does not take the options colour; it has widths, depth"),
        ("competition_baseline", {"dropout": 0.1}, "options dropout; it has none"),
        ("class_targeted", {"output": "relu"}, "one of tanh, sigmoid, softmax, got 'relu'"),
        ("class_targeted", {"hidden": 0}, "hidden must be 1 to 10000, got 0"),
        ("class_targeted", {"hidden": 7.5}, "hidden must be a whole number, got 7.5"),
        ("mlp", {"dropout": "much"}, "dropout must be a number, got 'much'"),
        ("mlp", {"dropout": float("nan")}, "dropout must be 0 to 0.9, got nan"),
        ("vgg19_full", {"pretrained": "perhaps"}, "pretrained must be yes or no, got 'perhaps'"),
        ("expressnet", {"widths": [32, -1]}, "a list of 1 to 16 whole numbers from 1"),
        ("expressnet", {"widths": "wide"}, "whole numbers from 1 to 4,096, got wide"),
        (
            "expressnet",
            {"widths": [8], "depths": [1, 1]},
            "widths and depths must be of one length",
        ),
        ("svm", {"support": -1}, "support must be 0 to"),
    ],
)
def test_a_bad_option_is_refused_in_words(name: str, options: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build_model(name, 7, 1, 48, options)
    if "depths" not in options:  # how two options go together shows when they are used
        with pytest.raises(ModelError, match=message):
            known_model(name, options)


def test_an_option_reaches_the_network() -> None:
    assert (
        build_model("class_targeted", 7, 1, 48, {"hidden": 90.0}).classifier[2].out_features == 90
    )
    assert build_model("mlp", 7, 1, 48, {"dropout": 0}).layers[3].p == 0
    assert build_model("expressnet", 7, 1, 48, {"widths": [8, 8, 16]}).classifier.in_features == 16
    for pooled, side in ((True, 24), (False, 48)):  # what the first stage sees
        whole = build_model("expressnet_demo", 7, 1, 48, {"pooled": pooled})
        assert whole.stem(torch.zeros(1, 1, 48, 48)).shape == (1, 12, side, side)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_option_has_a_usable_default_and_is_explained(name: str) -> None:
    network = find_network(name)
    assert network.title
    assert network.system in ("", "A", "B", "C", "D", "E")
    line = options_text(name)
    for option, about in network.options.items():
        assert (f"{option}=" in line) is not about.told
        assert (about.about in line) is not about.told
    defaults = {option: about.default for option, about in network.options.items()}
    build_model(name, 7, 1, 48, defaults, fetch_weights=False)


def test_the_line_of_options_gives_choices_and_says_when_there_are_none() -> None:
    line = options_text("class_targeted")
    assert "output=tanh (what the last layer does: tanh, sigmoid or softmax)" in line
    assert "no options" in options_text("competition_baseline")
    assert "pretrained=yes" in options_text("resnet18")
