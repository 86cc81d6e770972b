"""The data choice that a browser keeps, so that a reload does not go back to the drawn faces.

It keeps sets of the Data tab's own list alone, never a typed path, and nothing on a published page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from fer_core.ui.shared import open_sets
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, SharedState

#: What the sliders of the Data tab give, in percent.
SHARES = {"test_share": (0, 60), "validation_share": (1, 60)}


def to_keep(choice: Mapping[str, Any], settings: AppSettings) -> dict[str, Any] | None:
    """What the browser keeps of a data choice: all of it or nothing."""
    listed = {entry.source for entry in open_sets.sources(settings)}
    if settings.public or choice.get("source") not in listed:
        return None
    return dict(choice)


def kept_choice(kept: object, settings: AppSettings) -> dict[str, Any] | None:
    """What a browser kept as a data choice; None where it is none that could be made here now."""
    if not isinstance(kept, dict) or set(kept) != set(DEFAULT_DATA_CHOICE):
        return None
    whole = [*SHARES.items(), ("split_seed", (0, 2**31 - 1))]
    for name, (least, most) in whole:
        value = kept[name]
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        if not least <= _in_percent(name, value) <= most:
            return None
    if kept["split"] not in ("source", "stratified") or not isinstance(kept["source"], str):
        return None
    return to_keep({**kept, "split_seed": int(kept["split_seed"])}, settings)


def keep_choice(
    settings: AppSettings, shared: SharedState, controls: list[gr.components.Component]
) -> Callable[..., Any]:
    """Wire it; what is returned wires an event to a page whose choice is the kept one.

    controls: the summary, the list of sets, the kind of split, test, validation and seed.
    """
    if shared.kept_choice is None:
        return shared.page.load

    def on_load(kept: object) -> list[Any]:
        choice = kept_choice(kept, settings)
        if choice is None or choice == DEFAULT_DATA_CHOICE:
            return [gr.skip()] * (1 + len(controls))
        offered = [(entry.name, entry.source) for entry in open_sets.sources(settings)]
        name = next(name for name, source in offered if source == choice["source"])
        return [
            choice,
            f"Reading {plain(name)} …",
            gr.Dropdown(offered, value=choice["source"]),
            choice["split"],
            *(_in_percent(share, choice[share]) for share in SHARES),
            choice["split_seed"],
        ]

    def on_change(choice: dict[str, Any]) -> dict[str, Any] | None:
        return to_keep(choice, settings)

    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    restored = shared.page.load(
        on_load, shared.kept_choice, [shared.data_choice, *controls], **quiet
    )
    shared.data_choice.change(on_change, shared.data_choice, shared.kept_choice, **quiet)
    return restored.then


def _in_percent(name: str, value: float) -> float:
    return round(100 * value) if name in SHARES else value
