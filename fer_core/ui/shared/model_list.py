"""The networks as the training form lists them, and what the form says of their options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fer_core.models import MODELS, options_text, search_backbones
from fer_core.ui.shared.form_words import LABELS


def model_choices(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(what the list shows, name): this project's networks with their title, timm's by name."""
    return tuple((_label(name), name) for name in names)


def every_model() -> list[tuple[str, str]]:
    """The whole list, own networks first. The first call imports timm and takes seconds."""
    return list(model_choices(search_backbones()))


def _label(name: str) -> str:
    network = MODELS.get(name)
    if network is None:
        return name
    system = f" (system {network.system})" if network.system else ""
    return f"{name} – {network.title}{system}"


def options_info(model: Any) -> str:
    """The explanation of the field of model options: how it is filled, what `model` takes."""
    takes = options_text(model) if isinstance(model, str) else ""
    return f"{LABELS['model_options'][1]} {takes}".rstrip()
