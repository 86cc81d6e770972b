"""What a list of checkpoints offers: the shipped ones, then runs with weights."""

from __future__ import annotations

from typing import Any

from fer_core.ui.shared.loaded import LoadedCheckpoints

_PERCENTAGE = (
    "The percentage: how many of that set's test faces it names rightly. One for photographs can "
    "be lower there and better on your pictures."
)


def checkpoint_choices(loaded: LoadedCheckpoints, chosen: str | None) -> dict[str, Any]:
    """Settings of the checkpoint list: what there is now, and a value where `chosen` is not in it.

    A choice that can stay is left out: a visitor may have made another one in the meantime.
    """
    entries = loaded.entries()
    names = [entry.name for entry in entries]
    settings: dict[str, Any] = {
        "choices": [(entry.title, entry.name) for entry in entries],
        "info": _PERCENTAGE if names else "None yet: train one in the Train tab",
    }
    if chosen not in names:
        settings["value"] = names[0] if names else None
    return settings
