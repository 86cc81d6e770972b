"""What a network tells about itself: `Network`, its `Option`s, and the error of one that cannot be.

Every family's module imports this one; it imports no family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

#: (classes, channels, image_size, options) → a module that maps images float32 (B, C, S, S) to
#: scores (B, classes), whose softmax are the probabilities.
Builder = Callable[[int, int, int, dict[str, Any]], nn.Module]
#: The largest image that any run takes, in pixels.
_LARGEST = 512


class ModelError(ValueError):
    """A model that cannot be built. The message says what was wrong, what was got, what to do."""


@dataclass(frozen=True)
class Option:
    """One thing that can be chosen about a network.

    about: one phrase for people. choices: the only values allowed. bounds: (lowest, highest) of a
    number. told: written by whatever fits the network, so not offered to people. The default's
    type is the option's type.
    """

    default: Any
    about: str
    choices: tuple[Any, ...] = ()
    bounds: tuple[float, float] | None = None
    told: bool = False


@dataclass(frozen=True)
class Network:
    """One entry of the registry. system: letter of the reference system that describes it."""

    title: str
    build: Builder
    system: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)


PRETRAINED = Option(True, "start from ImageNet weights, fetched once from the network")
DROPOUT_BOUNDS = (0.0, 0.9)


def check_options(
    name: str, known: Mapping[str, Option], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Every option's value, the default where `options` names none. ModelError for a bad one."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise ModelError(f"{name} does not take the options {', '.join(unknown)}; {has}")
    return {
        option: _checked(f"{name}: {option}", about, options.get(option, about.default))
        for option, about in known.items()
    }


#: Of a list option, such as the widths of a network's stages.
_MOST_PARTS, _LARGEST_PART = 16, 4096


def _checked(place: str, option: Option, value: Any) -> Any:
    if option.choices and value not in option.choices:
        words = ", ".join(map(str, option.choices))
        raise ModelError(f"{place} must be one of {words}, got {value!r}")
    kind = type(option.default)
    if kind is bool:
        if not isinstance(value, bool):
            raise ModelError(f"{place} must be yes or no, got {value!r}")
    elif kind in (int, float):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelError(f"{place} must be a number, got {value!r}")
        if kind is int and not whole:
            raise ModelError(f"{place} must be a whole number, got {value!r}")
        low, high = option.bounds or (float("-inf"), float("inf"))
        if not low <= value <= high:
            raise ModelError(f"{place} must be {low:g} to {high:g}, got {value:g}")
        value = kind(value)
    elif kind is tuple:
        if (
            not isinstance(value, list | tuple)
            or not 1 <= len(value) <= _MOST_PARTS
            or not all(
                isinstance(part, int) and not isinstance(part, bool) and 0 < part <= _LARGEST_PART
                for part in value
            )
        ):
            raise ModelError(
                f"{place} must be a list of 1 to {_MOST_PARTS} whole numbers from 1 to "
                f"{_LARGEST_PART:,}, got {str(value)[:80]}"
            )
        value = tuple(value)
    return value


def options_line(name: str, options: Mapping[str, Option]) -> str:
    """One sentence for people: which options the network takes, with default and meaning."""
    options = {option: about for option, about in options.items() if not about.told}
    if not options:
        return f"{name} has no options."
    parts = [
        f"{option}={_shown(about.default)} ({about.about}{_choices(about)})"
        for option, about in options.items()
    ]
    return f"{name} takes: {'; '.join(parts)}."


def _choices(option: Option) -> str:
    *others, last = map(str, option.choices or ("",))
    return f": {', '.join(others)} or {last}" if others else ""


def _shown(value: Any) -> str:
    """A value as it is typed behind option=."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(list(value)) if isinstance(value, tuple) else str(value)


def flattened_width(features: nn.Module, name: str, channels: int, image_size: int) -> int:
    """How many values per image leave `features` at this size, from a dry run.

    ModelError that names the smallest usable size when nothing would be left of the image.
    """
    width = _dry_run(features, channels, image_size)
    if width:
        return width
    larger = range(image_size + 1, _LARGEST + 1)
    usable = next((size for size in larger if _dry_run(features, channels, size)), None)
    raise ModelError(
        f"{name} shrinks a picture of {image_size} px to nothing; "
        f"image_size must be at least {usable}, try 48"
    )


def _dry_run(features: nn.Module, channels: int, image_size: int) -> int:
    """0 when the features cannot take the size. Draws nothing and moves no statistics."""
    was_training = features.training
    features.eval()
    try:
        with torch.no_grad():
            return features(torch.zeros(1, channels, image_size, image_size)).numel()
    except RuntimeError:  # "output size is too small", "kernel size can't be greater than …"
        return 0
    finally:
        features.train(was_training)


def repeat_grey(images: torch.Tensor) -> torch.Tensor:
    """(B, 1 or 3, S, S) → (B, 3, S, S), for networks whose first layer wants three channels.

    A grey image three times is what summing the first layer's weights over colour would be.
    """
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
