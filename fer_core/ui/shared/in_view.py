"""What appears below the fold is brought into view, else a click seems to do nothing."""

from __future__ import annotations

import json

#: The browser lays the part out only after the event's answer has come.
_LAID_OUT_MS = 150


def into_view(selector: str) -> str:
    """JavaScript for an event's `js=` that scrolls the element there as little as needed."""
    return (
        "() => { setTimeout(() => document.querySelector("
        f"{json.dumps(selector)})?.scrollIntoView({{ behavior: 'smooth', block: 'nearest' }}), "
        f"{_LAID_OUT_MS}); }}"
    )
