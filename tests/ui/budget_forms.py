"""What both test modules of the Equal budgets page ask of it: a filled form, updates by name."""

from __future__ import annotations

from typing import Any

from fer_core.ui.experiments.budgets.form import AS_RECIPE
from fer_core.ui.experiments.budgets.updates import PARTS, budget_updates
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

LINES = [("quick", AS_RECIPE, ""), ("quick", "none", "batch_size=32")]


def form(**changes: Any) -> tuple[Any, ...]:
    """The form's values with some of them changed, in the order of `read_budget_form`."""
    values = {
        "name": "race",
        "kind": "epochs",
        "amount": 2,
        "lines": LINES,
        "data": dict(DEFAULT_DATA_CHOICE),
        "seed": 1,
        "share": 50,
    }
    return tuple({**values, **changes}.values())


def updates(
    settings: AppSettings, sent: dict[str, Any] | None = None, **values: Any
) -> dict[str, Any]:
    """`budget_updates` by the names of its parts."""
    asked = {"stored": "", "picked": [], "axis": "epochs", "pair": None, "measure": "recall"}
    return dict(
        zip(PARTS, budget_updates(settings, *{**asked, **values}.values(), sent or {}), strict=True)
    )
