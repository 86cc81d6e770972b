"""What a table says of the settings behind it, without the folders of this computer."""

from __future__ import annotations

from typing import Any

from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.training.sweep import field_title


def changed_settings(base: RunConfig) -> list[str]:
    """What all runs have otherwise than their recipe, as field=value; data and epochs are said
    elsewhere, and a path of this computer is never told."""
    known = RECIPES.get(base.recipe)
    values, theirs = base.to_dict(), (known.config if known else RunConfig()).to_dict()
    found = []
    for field, value in values.items():
        if field in ("recipe", "data", "epochs", "seed", "device") or value == theirs[field]:
            continue
        if isinstance(value, dict) and isinstance(theirs[field], dict):
            found += [
                f"{field}.{part}={inner}"
                for part, inner in value.items()
                if inner != theirs[field].get(part)
            ]
        else:
            found.append(f"{field}={without_folders(field, value)}")
    return found


def without_folders(field: str, value: Any) -> Any:
    """A setting's value; of checkpoints and files of views, which are paths, only the names."""
    if field == "views" and value:
        return source_title(str(value))
    if field not in ("start_from", "teachers") or not value:
        return value
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return ", ".join(source_title(str(part).strip()) for part in parts)


def policy_text(policy: AugmentPolicy) -> str:
    """A policy by its name where it has one, else by what differs from no augmentation:
    "flip probability 0.5, rotation degrees 8"."""
    for name, ready in POLICIES.items():
        if ready == policy:
            return name
    off = POLICIES["none"].to_dict()
    parts = [
        f"{field_title(part)} {value:g}"
        for part, value in policy.to_dict().items()
        if value != off[part]
    ]
    return ", ".join(parts)


def source_title(data: str) -> str:
    """A data source without the folders of this computer."""
    if data.startswith("hub:"):
        return data
    return data.replace("\\", "/").rstrip("/").rpartition("/")[2]
