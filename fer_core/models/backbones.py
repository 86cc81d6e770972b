"""Any network of the timm library as `timm/<name>`, grey or colour, from 32 pixels on.

timm is imported only when such a name is asked for. Enter: images float32 (B, C, S, S).
Leave: scores (B, classes).
"""

from __future__ import annotations

import difflib
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from fer_core.models.network import DROPOUT_BOUNDS, ModelError, Network, Option
from fer_core.models.pretrained import check_reachable, no_weights

PREFIX = "timm/"
SMALLEST = 32
#: `pretrained` is off unless it is asked for, so that any name runs on a machine without network.
OPTIONS = {
    "pretrained": Option(False, "start from published weights, fetched from the Hugging Face Hub"),
    "resize": Option(
        0,
        "enlarge pictures inside the network to this many pixels; 0 leaves them as they are",
        bounds=(0, 1024),
    ),
    "drop_rate": Option(
        0.0, "share of values dropped before the last layer", bounds=DROPOUT_BOUNDS
    ),
}
#: What networks say to a size that they cannot take; timm has no error of its own for it.
_WRONG_SIZE = (AssertionError, RuntimeError, ValueError, IndexError)


def find_backbone(name: str) -> Network:
    """The registry's entry for `timm/<name>`. ModelError with near matches for an unknown name."""
    import timm

    inner = name.removeprefix(PREFIX)
    if not timm.is_model(inner) or ("." in inner and inner not in timm.list_pretrained()):
        stem = inner.partition(".")[0]
        known = timm.list_pretrained(f"{stem}.*") if timm.is_model(stem) else timm.list_models()
        near = [PREFIX + other for other in difflib.get_close_matches(inner, known, n=3)]
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ModelError(
            f"timm has no model {inner[:100]!r}; {meant}python -m fer_core models --search TEXT "
            "lists the names"
        )
    return Network(f"{inner} from timm", partial(_build, inner), options=OPTIONS)


def backbone_names() -> list[str]:
    """Every `timm/<name>`, sorted; the first call imports timm (a second or two)."""
    import timm

    return [PREFIX + name for name in timm.list_models()]


def _build(
    name: str, classes: int, channels: int, image_size: int, options: dict[str, Any]
) -> nn.Module:
    resize = options["resize"]
    seen = resize or image_size
    if seen < SMALLEST:
        raise ModelError(
            f"{PREFIX}{name} needs pictures of at least {SMALLEST} px, got {seen}; "
            f"set image_size={SMALLEST} or more, or model_options.resize"
        )
    try:
        model = _create(name, classes, channels, seen, options)
        scores = _dry_run(model, channels, seen)
    except ModelError:
        raise
    except _WRONG_SIZE as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{PREFIX}{name} does not take pictures of {seen} px ({reason}); set "
            f"model_options.resize={_own_size(name)}, which enlarges them inside the network"
        ) from error
    if scores.shape != (1, classes):
        raise ModelError(
            f"{PREFIX}{name} is no classifier: it answers with the shape {tuple(scores.shape)} "
            f"instead of (1, {classes}); choose another"
        )
    return Resized(model, resize) if resize else model


def _create(
    name: str, classes: int, channels: int, image_size: int, options: dict[str, Any]
) -> nn.Module:
    import timm

    settings: dict[str, Any] = {"num_classes": classes, "in_chans": channels}
    if options["drop_rate"]:
        settings["drop_rate"] = options["drop_rate"]
    if options["pretrained"]:
        settings |= _weights(name)
    try:
        try:  # networks with a fixed size take it when they are built, the others know no such word
            return timm.create_model(name, img_size=image_size, **settings)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            return timm.create_model(name, **settings)
    except TypeError as error:
        raise ModelError(f"{PREFIX}{name} cannot be built: {error}") from error
    except OSError as error:  # only weights are read from anywhere
        raise no_weights(PREFIX + name, error) from error


def _weights(name: str) -> dict[str, Any]:
    """What to tell timm so that it loads weights: from the Hub's cache, else from the network."""
    import huggingface_hub
    import timm

    source = timm.get_pretrained_cfg(name)
    if source is None or not source.has_weights:
        raise ModelError(
            f"no weights are published for {PREFIX}{name}; set model_options.pretrained=no"
        )
    if source.hf_hub_id:
        for file in (source.hf_hub_filename, "model.safetensors", "pytorch_model.bin"):
            cached = file and huggingface_hub.try_to_load_from_cache(source.hf_hub_id, file)
            if isinstance(cached, str):
                return {"pretrained": True, "pretrained_cfg_overlay": {"file": cached}}
    endpoint = huggingface_hub.constants.ENDPOINT
    try:  # the Hub's own client would try for a minute
        check_reachable(f"{endpoint}/{source.hf_hub_id}" if source.hf_hub_id else source.url)
    except OSError as error:
        raise no_weights(PREFIX + name, error) from error
    return {"pretrained": True}


def _dry_run(model: nn.Module, channels: int, image_size: int) -> torch.Tensor:
    was_training = model.training
    model.eval()
    with torch.no_grad():
        scores = model(torch.zeros(1, channels, image_size, image_size))
    model.train(was_training)
    return scores


def _own_size(name: str) -> int:
    import timm

    source = timm.get_pretrained_cfg(name)
    return source.input_size[-1] if source is not None else 224


class Resized(nn.Module):
    """A network that sees every picture at `image_size` pixels, whatever comes in."""

    def __init__(self, network: nn.Module, image_size: int) -> None:
        super().__init__()
        self.network, self.image_size = network, image_size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        size = (self.image_size, self.image_size)
        return self.network(
            functional.interpolate(images, size, mode="bilinear", align_corners=False)
        )
