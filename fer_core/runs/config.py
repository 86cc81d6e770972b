"""`RunConfig`: everything that decides a run, as one frozen dataclass of plain values.

A recipe, the form in the page and the command line all make this object; a run is repeated from it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from fer_core.data.augment import AugmentPolicy
from fer_core.models import MODELS


class ConfigError(ValueError):
    """A setting that cannot be used. The message says the field, what was got and what to do."""


#: The allowed values of every field that is a choice; the form and the errors read them here.
CHOICES: dict[str, tuple[str, ...]] = {
    "split": ("source", "stratified"),
    "scaling": ("minus_one_to_one", "imagenet", "dataset"),
    "optimizer": ("sgd", "adam", "adamw"),
    "schedule": ("constant", "one_cycle", "cosine", "plateau"),
    "choose_by": ("validation_accuracy", "validation_macro_f1", "validation_loss"),
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "float32", "bfloat16"),
}

#: (lowest, highest) of every number.
BOUNDS: dict[str, tuple[float, float]] = {
    "image_size": (16, 512),
    "validation_share": (0.01, 0.8),
    "test_share": (0.0, 0.8),
    "split_seed": (0, 2**31 - 1),
    "epochs": (1, 10_000),
    "batch_size": (2, 65_536),
    "learning_rate": (1e-8, 10.0),
    "weight_decay": (0.0, 1.0),
    "momentum": (0.0, 0.999),
    "label_smoothing": (0.0, 0.5),
    "gradient_clip": (0.0, 1000.0),
    "ema_decay": (0.0, 0.99999),
    "early_stopping_patience": (0, 10_000),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True)
class RunConfig:
    """Settings of one run.

    data: what to read (a path, "drawn", "hub:owner/name"). image_size in pixels, channels 1 or 3.
    split: "source" takes the source's own split and cuts what it lacks; "stratified" draws one.
    validation_share: of the images that are not test; test_share: of all images.
    classes_left_out: class names whose images are not used.
    scaling: how pixels are normalised. choose_by: what picks the best epoch and stops early.
    early_stopping_patience, gradient_clip, ema_decay: 0 turns them off.
    """

    recipe: str = "custom"
    data: str = "drawn"
    image_size: int = 48
    channels: int = 1
    split: str = "source"
    validation_share: float = 0.1
    test_share: float = 0.2
    split_seed: int = 42
    classes_left_out: tuple[str, ...] = ()
    drop_duplicates: bool = False
    scaling: str = "minus_one_to_one"

    model: str = "expressnet"
    model_options: dict[str, Any] = field(default_factory=dict)

    epochs: int = 10
    batch_size: int = 128
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "constant"
    label_smoothing: float = 0.0
    class_weights: bool = False
    balanced_sampling: bool = False
    gradient_clip: float = 0.0
    ema_decay: float = 0.0
    choose_by: str = "validation_accuracy"
    early_stopping_patience: int = 0
    augment: AugmentPolicy = field(default_factory=AugmentPolicy)

    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            object.__setattr__(self, item.name, _checked(item.name, item.type, value))
        if self.model not in MODELS:
            raise ConfigError(f"model must be one of {sorted(MODELS)}, got {self.model!r}")
        if self.channels not in (1, 3):
            raise ConfigError(f"channels must be 1 (grey) or 3 (colour), got {self.channels}")
        if not self.data.strip():
            raise ConfigError("data must name a data set, got nothing; try 'drawn'")

    def to_dict(self) -> dict[str, Any]:
        values = dataclasses.asdict(self)
        values["classes_left_out"] = list(self.classes_left_out)
        return values

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        unknown = set(values) - {item.name for item in dataclasses.fields(cls)}
        if unknown:
            raise ConfigError(f"unknown setting {sorted(unknown)}; known: {', '.join(FIELDS)}")
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"the configuration is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise ConfigError("the configuration must be a JSON object of field: value")
        return cls.from_dict(values)

    def with_settings(self, settings: list[str]) -> RunConfig:
        """A copy with `field=value` texts applied, as the command line's --set gives them.

        `augment.flip_probability=0.5` reaches into the policy, `model_options.dropout=0.2` into
        the model's options; `augment=standard` takes a ready policy.
        """
        values = self.to_dict()
        for setting in settings:
            name, found, text = setting.partition("=")
            name, text = name.strip(), text.strip()
            if not found:
                raise ConfigError(f"a setting is field=value, got {setting!r}")
            group, _, inner = name.partition(".")
            if group not in values:
                raise ConfigError(f"unknown setting {group!r}; known: {', '.join(FIELDS)}")
            if inner:
                if group not in ("augment", "model_options"):
                    raise ConfigError(f"{group} has no parts, got {name!r}")
                values[group] = {**values[group], inner: _parsed(text)}
            elif group == "augment":  # a ready policy, whose parts a later setting may change
                values[group] = _policy(text).to_dict()
            elif group == "classes_left_out":
                values[group] = [part.strip() for part in text.split(",") if part.strip()]
            else:
                values[group] = text if isinstance(values[group], str) else _parsed(text)
        return type(self).from_dict(values)


FIELDS = tuple(item.name for item in dataclasses.fields(RunConfig))


def _parsed(text: str) -> Any:
    """The JSON value of a text, with yes/no for booleans; a text that is no JSON stays one."""
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for reader in (json.loads, float):  # float reads ".5", which JSON does not
        try:
            return reader(text)
        except ValueError:
            continue
    return text


def _checked(name: str, kind: str, value: Any) -> Any:
    """`value` as the field's type and inside its bounds, or a ConfigError that names the field."""
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ConfigError(f"{name} must be one of {', '.join(CHOICES[name])}, got {value!r}")
        return value
    if kind == "AugmentPolicy":
        return _policy(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise ConfigError(f"{name} must be yes or no, got {value!r}")
        return value
    if kind in ("int", "float"):
        return _number(name, kind, value)
    if kind == "str":
        if not isinstance(value, str):
            raise ConfigError(f"{name} must be a text, got {value!r}")
        return value
    if kind.startswith("tuple"):
        if isinstance(value, str) or not all(isinstance(part, str) for part in value):
            raise ConfigError(f"{name} must be a list of class names, got {value!r}")
        return tuple(value)
    if not isinstance(value, dict):
        raise ConfigError(f"{name} must be a table of option: value, got {value!r}")
    return dict(value)


def _number(name: str, kind: str, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be a number, got {value!r}")
    if kind == "int" and isinstance(value, float) and not value.is_integer():  # nor inf, nor NaN
        raise ConfigError(f"{name} must be a whole number, got {value!r}")
    low, high = BOUNDS.get(name, (float("-inf"), float("inf")))
    if not low <= value <= high:
        raise ConfigError(f"{name} must be {low:g} to {high:g}, got {value}")
    return int(value) if kind == "int" else float(value)


def _policy(value: Any) -> AugmentPolicy:
    from fer_core.data.augment import POLICIES

    if isinstance(value, AugmentPolicy):
        return value
    if isinstance(value, str):
        if value not in POLICIES:
            raise ConfigError(f"augment must be one of {', '.join(POLICIES)}, got {value!r}")
        return POLICIES[value]
    if not isinstance(value, dict):
        raise ConfigError(f"augment must be a policy's name or a table, got {value!r}")
    try:
        return AugmentPolicy.from_dict(value)
    except ValueError as error:
        raise ConfigError(f"augment: {error}") from error
