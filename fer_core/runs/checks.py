"""From a value as a form, a file or a command line gives it to one that a `RunConfig` may hold."""

from __future__ import annotations

import json
from typing import Any

from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.runs.limits import BOUNDS, CHOICES


class ConfigError(ValueError):
    """A setting that cannot be used. The message says the field, what was got and what to do."""


_LISTED = {
    "classes_left_out": "class names",
    "preparation": "steps",
    "teachers": "checkpoint folders",
    "phases": "tables of field: value",
}


def _plain(phase: dict[str, Any]) -> dict[str, Any]:
    """A phase as JSON has it: a policy as a table, a tuple as a list."""
    values = {**phase}
    if isinstance(values.get("augment"), AugmentPolicy):
        values["augment"] = values["augment"].to_dict()
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
    }


def parsed(text: str) -> Any:
    """The JSON value of a text, with yes/no for booleans; a text that is no JSON stays one."""
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for reader in (json.loads, float):  # float reads ".5", which JSON does not
        try:
            return reader(text)
        except (ValueError, RecursionError):  # the latter of a text that is nested too deeply
            continue
    return text


def checked(name: str, kind: str, value: Any) -> Any:
    """`value` as the field's type and inside its bounds, or a ConfigError that names the field."""
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ConfigError(f"{name} must be one of {', '.join(CHOICES[name])}, got {value!r}")
        return value
    if kind == "AugmentPolicy":
        return policy_of(value)
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
        wanted = dict if name == "phases" else str
        if not isinstance(value, list | tuple) or not all(
            isinstance(part, wanted) for part in value
        ):
            raise ConfigError(f"{name} must be a list of {_LISTED[name]}, got {value!r}")
        return tuple(_plain(part) if wanted is dict else part for part in value)
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


def policy_of(value: Any) -> AugmentPolicy:
    """A policy, a ready one's name or a table of strengths, as a policy."""
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
