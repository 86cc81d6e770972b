"""Held-out images that a run's start or its teachers had already learned from, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_core.data.faces import HELD_OUT


def inherited_words(data: Mapping[str, Any]) -> str:
    """What a run's facts of its data say of such images, as a sentence; "" where there is none.

    data: as in data.json and the record, with `inherited` {part: images} and `counts`.
    """
    found, counts = data.get("inherited") or {}, data.get("counts") or {}
    parts = [
        f"{found[part]:,} of the {sum((counts.get(part) or {}).values()):,} {part} images"
        for part in reversed(HELD_OUT)
        if found.get(part)
    ]
    if not parts:
        return ""
    return (
        f"{' and '.join(parts)} were training images of the checkpoint that it started from or "
        "that taught it, so its figures on them are too good to compare."
    )
