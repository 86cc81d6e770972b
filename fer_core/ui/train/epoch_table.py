"""The epochs of one run as a table: losses, accuracies, macro F1, learning rate, seconds."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

#: In two lines, so that all columns stand beside the form without scrolling.
_HEADERS = (
    "Epoch",
    "Training<br>loss",
    "Validation<br>loss",
    "Training<br>%",
    "Validation<br>%",
    "Macro<br>F1",
    "Rate",
    "Seconds",
)
_NOTHING = "<p class='note'>Its rows appear here, one after every epoch.</p>"


def epoch_table_html(epochs: Sequence[Mapping[str, Any]], best: int | None = None) -> str:
    """The newest epoch first; best: 1-based, its row is marked."""
    if not epochs:
        return _NOTHING
    head = "".join(f"<th>{name}</th>" for name in _HEADERS)
    rows = "".join(_row(epoch, epoch.get("epoch") == best) for epoch in reversed(epochs))
    return (
        "<div class='plain-table' style='max-height: 320px; overflow-y: auto'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(epoch: Mapping[str, Any], best: bool) -> str:
    cells = (
        f"{epoch.get('epoch', '')}{' (best)' if best else ''}",
        _number(epoch.get("train_loss"), "{:.4f}"),
        _number(epoch.get("validation_loss"), "{:.4f}"),
        _number(epoch.get("train_accuracy"), "{:.2f}", 100),
        _number(epoch.get("validation_accuracy"), "{:.2f}", 100),
        _number(epoch.get("validation_macro_f1"), "{:.4f}"),
        _number(epoch.get("learning_rate"), "{:.3g}"),
        _number(epoch.get("seconds"), "{:,.1f}"),
    )
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _number(value: Any, pattern: str, factor: float = 1) -> str:
    return pattern.format(factor * value) if isinstance(value, int | float) else "–"
