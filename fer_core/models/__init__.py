"""Networks by name: `MODELS`, `build_model`, and what one costs, `describe_model`.

Every network maps images float32 (B, C, S, S) to scores (B, classes); their softmax are the
probabilities.
"""

from __future__ import annotations

import difflib
from typing import Any

from torch import nn

from fer_core.models.backbones import OPTIONS as BACKBONE_OPTIONS
from fer_core.models.backbones import PREFIX, backbone_names, find_backbone
from fer_core.models.class_targeted import OUTPUTS, ClassTargetedNetwork
from fer_core.models.competition import CompetitionBaseline
from fer_core.models.expressnet import ExpressNet
from fer_core.models.facts import ModelFacts, describe_model, keras_parameters
from fer_core.models.five_approaches import CustomNetwork, MultilayerPerceptron
from fer_core.models.kernel_machine import KERNEL_MODEL, KernelMachine
from fer_core.models.network import (
    DROPOUT_BOUNDS,
    PRETRAINED,
    ModelError,
    Network,
    Option,
    check_options,
    options_line,
)
from fer_core.models.resnet import ResNet18
from fer_core.models.separable import SeparableExpressNet
from fer_core.models.six_class import SixClassNetwork
from fer_core.models.two_phase import TwoPhaseNetwork, TwoPhaseTemplate
from fer_core.models.vgg import FrozenVGG19, FullVGG19

__all__ = [
    "KERNEL_MODEL",
    "MODELS",
    "ModelError",
    "ModelFacts",
    "Network",
    "Option",
    "build_model",
    "describe_model",
    "find_network",
    "keras_parameters",
    "known_model",
    "options_text",
    "search_backbones",
]


def _dropout(default: float, place: str) -> Option:
    return Option(default, f"share of values dropped {place}", bounds=DROPOUT_BOUNDS)


#: Of an ExpressNet that was given a memory after its training.
_MEMORY = {
    "remembered": Option(0, "training faces in its memory", bounds=(0, 1_000_000), told=True),
    "remembered_codes": Option(0, "bytes kept of each", bounds=(0, 256), told=True),
    "remembered_numbers": Option(0, "features of each they say", bounds=(0, 4096), told=True),
}
_POOLED = {"pooled": Option(True, "halve the picture before the first stage")}


def _expressnet_options(widths: tuple[int, ...], depths: tuple[int, ...], dropout: float) -> dict:
    return {
        "widths": Option(widths, "channels of each stage"),
        "depths": Option(depths, "residual blocks of each stage"),
        "dropout": _dropout(dropout, "before the last layer"),
    }


def _expressnet(classes: int, channels: int, image_size: int, options: dict[str, Any]) -> nn.Module:
    return ExpressNet(classes, channels, **options)


#: Every network of this project by name, in the order that lists show them.
MODELS: dict[str, Network] = {
    "expressnet": Network(
        "this project's own network",
        _expressnet,
        options={
            **_expressnet_options((32, 64, 128), (1, 2, 2), 0.2),
            **_POOLED,
            **_MEMORY,
        },
    ),
    "expressnet_demo": Network(
        "ExpressNet, a third as wide",
        _expressnet,
        options={
            **_expressnet_options((12, 24, 48), (1, 1, 1), 0.1),
            **_POOLED,
            **_MEMORY,
        },
    ),
    "expressnet_nano": Network(
        "ExpressNet, separable convolutions",
        lambda classes, channels, size, options: SeparableExpressNet(classes, channels, **options),
        options={
            **_expressnet_options((32, 64, 96), (2, 4, 2), 0.1),
            "expansion": Option(1, "how many times wider a block is inside", bounds=(1, 8)),
            "head": Option(128, "channels before the mean over the picture", bounds=(8, 4096)),
            "gated": Option(False, "squeeze-excitation in every block"),
        },
    ),
    "two_phase_template": Network(
        "two-phase, template",
        lambda classes, channels, size, options: TwoPhaseTemplate(classes, channels, size),
        "A",
    ),
    "two_phase": Network(
        "two-phase, final network",
        lambda classes, channels, size, options: TwoPhaseNetwork(
            classes, channels, size, **options
        ),
        "A",
        {
            "dropout": _dropout(0.25, "after each of the first two blocks"),
            "dense_dropout": _dropout(0.5, "after each fully connected layer"),
        },
    ),
    "class_targeted": Network(
        "class-targeted augmentation",
        lambda classes, channels, size, options: ClassTargetedNetwork(
            classes, channels, size, **options
        ),
        "B",
        {
            "hidden": Option(70, "width of the first fully connected layer", bounds=(1, 10_000)),
            "output": Option("tanh", "what the last layer does", choices=tuple(OUTPUTS)),
            "dropout": _dropout(0.5, "after flattening"),
        },
    ),
    "competition_baseline": Network(
        "the competition's baseline",
        lambda classes, channels, size, options: CompetitionBaseline(classes, channels, size),
        "C",
    ),
    "mlp": Network(
        "multilayer perceptron",
        lambda classes, channels, size, options: MultilayerPerceptron(
            classes, channels, size, **options
        ),
        "D",
        {"dropout": _dropout(0.2, "after each of the first two layers")},
    ),
    "custom_cnn": Network(
        "network without padding",
        lambda classes, channels, size, options: CustomNetwork(classes, channels, size, **options),
        "D",
        {"dropout": _dropout(0.2, "after each pool")},
    ),
    "vgg19_frozen": Network(
        "VGG19 with frozen convolutions",
        lambda classes, channels, size, options: FrozenVGG19(classes, size, **options),
        "D",
        {"pretrained": PRETRAINED},
    ),
    "vgg19_full": Network(
        "VGG19, every layer trained",
        lambda classes, channels, size, options: FullVGG19(classes, size, **options),
        "D",
        {"pretrained": PRETRAINED},
    ),
    KERNEL_MODEL: Network(
        "support vector machine",
        lambda classes, channels, size, options: KernelMachine(
            classes, channels, size, options["support"] or classes, options["components"]
        ),
        "D",
        {  # C, gamma and whiten are for whoever fits it: a fitted machine holds what came of them
            "C": Option(1.0, "what a mistake costs", bounds=(1e-6, 1e6)),
            "gamma": Option("scale", "width of the kernel: scale, auto or a number"),
            "components": Option(
                0, "principal components it sees; 0: pixels", bounds=(0, 1_000_000)
            ),
            "whiten": Option(False, "give every component the same variance"),
            "gram": Option(
                False,
                "compare all images first: the same machine sooner, where 8 n² bytes fill no more "
                "than half of the free memory",
            ),
            "support": Option(
                0, "support vectors; 0: a blank machine", bounds=(0, 10_000_000), told=True
            ),
        },
    ),
    "six_class_cnn": Network(
        "six classes in colour",
        lambda classes, channels, size, options: SixClassNetwork(
            classes, channels, size, **options
        ),
        "E",
        {"dropout": _dropout(0.5, "before the last layer")},
    ),
    "resnet18": Network(
        "ResNet-18",
        lambda classes, channels, size, options: ResNet18(classes, **options),
        "E",
        {"pretrained": PRETRAINED},
    ),
}


def find_network(name: str) -> Network:
    """The registry's entry, of this project or of timm. ModelError for an unknown name."""
    if name in MODELS:
        return MODELS[name]
    if name.startswith(PREFIX):
        return find_backbone(name)
    near = difflib.get_close_matches(name, MODELS, n=3)
    meant = f"did you mean {', '.join(near)}? " if near else ""
    raise ModelError(
        f"unknown model {name!r}; {meant}known: {', '.join(MODELS)}, "
        f"and {PREFIX}NAME for any of timm"
    )


def known_model(name: str, options: dict[str, Any] | None = None) -> None:
    """Raises ModelError, with near matches, when there is no network of that name, and when it
    does not take the options."""
    check_options(name, find_network(name).options, options or {})


def options_text(name: str) -> str:
    """Which options a network takes, in one sentence; "" for a name that there is not.

    Any `timm/<name>` is answered without importing timm, whose networks all take the same.
    """
    if name.startswith(PREFIX):
        return options_line(name, BACKBONE_OPTIONS)
    return options_line(name, MODELS[name].options) if name in MODELS else ""


def search_backbones(text: str = "", limit: int | None = None) -> list[str]:
    """Names that hold every word of `text`: own networks first, then timm's as `timm/<name>`."""
    words = text.lower().split()
    names = [*MODELS, *backbone_names()]
    return [name for name in names if all(word in name.lower() for word in words)][:limit]


def build_model(
    name: str,
    classes: int,
    channels: int,
    image_size: int,
    options: dict[str, Any] | None = None,
    fetch_weights: bool = True,
) -> nn.Module:
    """A fresh network, with random weights or, where `pretrained` is on, ImageNet's.

    fetch_weights=False ignores `pretrained`: for a network that is filled from a checkpoint.
    ModelError for an unknown name or option, and when weights cannot be fetched.
    """
    network = find_network(name)
    values = check_options(name, network.options, options or {})
    if not fetch_weights and "pretrained" in values:
        values["pretrained"] = False
    try:
        return network.build(classes, channels, image_size, values)
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{name}: {error}") from error
