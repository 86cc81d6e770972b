"""The training form without its widgets: which field stands where, and form values ↔ `RunConfig`.

The form is generated from `RunConfig`: a new field shows up by itself, at the end, until it is
given a place here. Data and split come from the Data tab, so they are no fields of the form.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.limits import BOUNDS, CHOICES
from fer_core.ui.shared.form_words import GROUPS, LABELS, VALUE_WORDS
from fer_core.ui.shared.model_list import model_choices

BASIC = "Basic"
OTHER = "Other settings"
#: Where each part of a data choice goes in the configuration.
DATA_FIELDS = {
    "source": "data",
    "split": "split",
    "validation_share": "validation_share",
    "test_share": "test_share",
    "split_seed": "split_seed",
}
#: How far an arrow key moves a number; whole ones by 1.
_STEPS = {
    "learning_rate": 0.0001,
    "weight_decay": 0.0001,
    "momentum": 0.01,
    "label_smoothing": 0.01,
    "gradient_clip": 0.5,
    "ema_decay": 0.001,
}
#: Fields whose bounds only say that they are wide.
_BOUNDS_UNSAID = ("seed", "learning_rate", "epochs", "batch_size", "early_stopping_patience")
_ELSEWHERE = {"recipe", "augment", *DATA_FIELDS.values()}
#: Choices of the augmentation list that are no ready policy.
FROM_RECIPE = "recipe"
FROM_AUGMENT_TAB = "augment tab"
#: (label, value) of the augmentation list.
AUGMENTATIONS = (
    ("as the recipe has it", FROM_RECIPE),
    ("as handed over by the Augment tab", FROM_AUGMENT_TAB),
    *((f"ready policy: {name}", name) for name in POLICIES),
)


@dataclass(frozen=True)
class FormField:
    """One field of the form. kind: "choice", "yes_no", "number", "text" or "lines"."""

    name: str
    label: str
    info: str
    group: str
    kind: str
    choices: tuple[tuple[str, Any], ...] = ()
    step: float | None = None


def form_fields(models: tuple[str, ...]) -> tuple[FormField, ...]:
    """Every field of `RunConfig` that the form asks for, group by group, basic ones first."""
    places = {name: group for group, names in GROUPS.items() for name in names}
    order = {name: place for place, name in enumerate(places)}
    items = [item for item in dataclasses.fields(RunConfig) if item.name not in _ELSEWHERE]
    items.sort(key=lambda item: order.get(item.name, len(order)))
    return tuple(
        _form_field(item.name, str(item.type), places.get(item.name, OTHER), models)
        for item in items
    )


def _form_field(name: str, kind: str, group: str, models: tuple[str, ...]) -> FormField:
    label, info = LABELS.get(name, (name.replace("_", " ").capitalize(), ""))
    if name == "model":
        return FormField(name, label, info, group, "choice", model_choices(models))
    names = (1, 3) if name == "channels" else CHOICES.get(name, ())
    if names:
        choices = tuple((VALUE_WORDS.get(value, str(value)), value) for value in names)
        return FormField(name, label, info, group, "choice", choices)
    if kind == "bool":
        return FormField(name, label, info, group, "yes_no")
    if kind in ("int", "float"):
        if name in BOUNDS and name not in _BOUNDS_UNSAID:
            low, high = BOUNDS[name]
            info = f"{info} {_plain(low)} to {_plain(high)}.".strip()
        return FormField(name, label, info, group, "number", step=_STEPS.get(name, 1))
    lines = kind.startswith("dict") or name == "phases"
    return FormField(name, label, info, group, "lines" if lines else "text")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def form_values(config: RunConfig) -> dict[str, Any]:
    """Field → what its widget shows; lists become "a, b", tables one option=value per line."""
    values = {}
    for name, value in config.to_dict().items():
        if name in _ELSEWHERE:
            continue
        if isinstance(value, dict):
            value = "\n".join(f"{key}={_option_text(part)}" for key, part in value.items())
        elif name == "phases":
            value = "\n".join(json.dumps(phase) for phase in value)
        elif isinstance(value, list | tuple):
            value = ", ".join(value)
        values[name] = value
    return values


def _option_text(value: Any) -> str:
    """A text stands as it is, anything else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value)


#: A text field is worked through at every change, on a public page for strangers too.
LONGEST_TEXT = 2000


def config_from_form(
    values: Mapping[str, Any],
    recipe: RunConfig,
    data: Mapping[str, Any],
    policy: AugmentPolicy,
) -> RunConfig:
    """The configuration that form, data choice and policy describe together.

    values: field → widget value. data: keys of `DATA_FIELDS`. A field that none of them names keeps
    the recipe's value. ConfigError in the form's words when something cannot be used.
    """
    settings = recipe.to_dict()
    settings["augment"] = policy
    for part, name in DATA_FIELDS.items():
        if part in data:
            settings[name] = data[part]
    lines = []
    for name, value in values.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise ConfigError(
                f"{name} takes at most {LONGEST_TEXT:,} characters, got {len(value):,}; shorten it"
            )
        kind = type(settings.get(name))
        if name == "phases":
            settings[name] = _phases(str(value or ""))
        elif kind is dict:
            settings[name] = {}
            lines += [f"{name}.{line}" for line in str(value or "").splitlines() if line.strip()]
        elif kind in (list, tuple):
            settings[name] = [part.strip() for part in str(value or "").split(",") if part.strip()]
        else:
            settings[name] = value
    try:
        return RunConfig.from_dict(settings).with_settings(lines)
    except ConfigError as error:
        raise ConfigError(_in_words(str(error))) from error


def _phases(text: str) -> list[dict[str, Any]]:
    """One JSON table per line."""
    found = []
    for line in filter(str.strip, text.splitlines()):
        try:
            phase = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ConfigError(
                f"Phases: each line must be a JSON table of field: value, got {line.strip()!r}"
            ) from error
        if not isinstance(phase, dict):
            raise ConfigError(f"Phases: each line must be a JSON table, got {line.strip()!r}")
        found.append(phase)
    return found


def _in_words(message: str) -> str:
    """The message with the form's label in place of the field's name, and nothing for None."""
    name, space, rest = message.partition(" ")
    if name in LABELS:
        message = f"{LABELS[name][0]}{space}{rest}"
    return message.replace("got None", "got nothing")


def source_name(source: str) -> str:
    """What to call a data source on the page."""
    kind, _, rest = source.partition(":")
    if kind == "drawn":
        if rest == "six":
            return "drawn faces, six classes in colour (built in)"
        return (
            f"{int(rest):,} drawn faces (built in)" if rest.isdigit() else "drawn faces (built in)"
        )
    if kind == "hub":
        return f"{rest} from the Hugging Face Hub"
    return PurePath(source).name or source


def describe_data(choice: Mapping[str, Any]) -> str:
    """One phrase: the set and how it is split."""
    name = source_name(str(choice.get("source", "")))
    validation, seed = choice.get("validation_share", 0.0), choice.get("split_seed", 0)
    if choice.get("split") == "stratified":
        test = choice.get("test_share", 0.0)
        return (
            f"{name}, stratified split: {test:.0%} to test, {validation:.0%} of the rest "
            f"to validate, seed {seed}"
        ).replace("%", " %")
    if choice.get("split") == "own_validation":
        return (
            f"{name}, the source's test part if it has one, {validation:.0%} of its training "
            f"images to validate, seed {seed}"
        ).replace("%", " %")
    return f"{name}, the set's own split, what it lacks drawn from its training images"


def chosen_policy(
    choice: str, recipe: RunConfig, handed_over: Mapping[str, Any] | None
) -> AugmentPolicy:
    """The policy behind an entry of the augmentation list."""
    if choice == FROM_RECIPE:
        return recipe.augment
    if choice == FROM_AUGMENT_TAB and handed_over:
        try:
            return AugmentPolicy.from_dict(dict(handed_over))
        except (ValueError, TypeError) as error:
            raise ConfigError(f"the policy of the Augment tab cannot be used: {error}") from error
    if choice not in POLICIES:
        raise ConfigError(f"Augmentation must be one of {', '.join(POLICIES)}, got {choice!r}")
    return POLICIES[choice]


def describe_policy(policy: AugmentPolicy) -> str:
    """The operations that are on, with their strengths, in one phrase."""
    shares = {
        "shift": policy.shift_fraction,
        "zoom": policy.zoom_fraction,
        "crop": policy.crop_fraction,
        "brightness": policy.brightness,
        "contrast": policy.contrast,
        "saturation": policy.saturation,
        "noise": policy.noise_std,
    }
    parts = [f"mirrored {policy.flip_probability:.0%}"] if policy.flip_probability else []
    if policy.rotation_degrees:
        parts.append(f"rotation ±{policy.rotation_degrees:g}°")
    if policy.shear_degrees:
        parts.append(f"shear ±{policy.shear_degrees:g}°")
    parts += [
        f"{name} {'up to ' if name in ('noise', 'crop') else '±'}{value:.0%}"
        for name, value in shares.items()
        if value
    ]
    if policy.surroundings_probability:
        parts.append(f"other surroundings {policy.surroundings_probability:.0%} of the images")
    for name in ("autocontrast", "equalise"):
        if chance := getattr(policy, f"{name}_probability"):
            parts.append(f"{name} {chance:.0%} of the images")
    if policy.blur_pixels:
        parts.append(f"blur up to {policy.blur_pixels:g} px")
    if policy.erase_probability and policy.erase_fraction:
        parts.append(
            f"erasing {policy.erase_probability:.0%} of the images, "
            f"up to {policy.erase_fraction:.0%} of the area"
        )
    return ", ".join(parts).replace("%", " %") if parts else "images are used as they are"


def changes(config: RunConfig, recipe: RunConfig) -> list[str]:
    """What the form asks for that the recipe does not, as "label: recipe's → form's"."""
    mine, theirs, found = config.to_dict(), recipe.to_dict(), []
    for name, value in mine.items():
        if name in ("recipe", *DATA_FIELDS.values()) or value == theirs[name]:
            continue
        label = LABELS.get(name, (name.replace("_", " "),))[0]
        if name == "augment":
            found.append(label)
        else:
            found.append(f"{label}: {_shown(name, theirs[name])} → {_shown(name, value)}")
    return found


def _shown(name: str, value: Any) -> str:
    if name in CHOICES or name == "channels":
        return VALUE_WORDS.get(value, str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        parts = (part if isinstance(part, str) else json.dumps(part) for part in value)
        return ", ".join(parts) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}={_shown('', part)}" for key, part in value.items()) or "none"
    return str(value) or "none"
