"""`SharedState`: the only wiring between tabs. Made by `build.py` outside every tab.

A tab's contents are mounted lazily, and a timer inside an unopened tab does not tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from fer_core.ui.shared.uploads import Uploads

TAB_IDS = ("predict", "data", "augment", "train", "experiments")
#: Views of the Experiments tab that are live: id → title of the inner tab.
LIVE_VIEWS = {
    "leaderboard": "Leaderboard",
    "sweeps": "Sweeps",
    "budgets": "Equal budgets",
    "efficiency": "Efficiency",
    "domain": "New domain",
}

#: What a run uses until the Data tab says otherwise: the built-in set with its own split.
DEFAULT_DATA_CHOICE: dict[str, Any] = {
    "source": "drawn",
    "split": "source",
    "validation_share": 0.1,
    "test_share": 0.2,
    "split_seed": 42,
}

#: Beside the strengths in `SharedState.policy`: when the policy was handed over, Unix seconds.
HANDED_OVER = "handed_over"


@dataclass(frozen=True)
class SharedState:
    """data_choice: dict with the keys of `DEFAULT_DATA_CHOICE`; set by the Data tab.

    policy: `AugmentPolicy.to_dict()` and `HANDED_OVER`; set by the Augment tab, read by the
    Train tab.
    fast_timer: ticks every 2 s for what is live; in a view of the Experiments tab, only while that
    view is in front (`live`), since every tick costs the browser work. timers: id of such a view →
    its timer. tabs: `gr.Tabs(selected=…)` takes a `TAB_IDS`.
    uploads: which uploaded files the open pages use; what nobody uses any more is deleted.
    kept_choice: the data choice that the visitor's browser keeps; none on a published page.
    page: the whole page; `page.load(…)` runs once for every visitor, whichever tab is in front.
    """

    data_choice: gr.State
    policy: gr.State
    fast_timer: gr.Timer
    tabs: gr.Tabs
    page: gr.Blocks
    timers: Mapping[str, gr.Timer]
    uploads: Uploads = field(default_factory=Uploads)
    kept_choice: gr.BrowserState | None = None

    def live(self, view: str) -> SharedState:
        """The same for one view of the Experiments tab, with the timer that ticks for it."""
        return replace(self, fast_timer=self.timers[view])
