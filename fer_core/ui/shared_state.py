"""`SharedState`: the only wiring between tabs. Made by `build.py` outside every tab.

A tab's contents are mounted lazily, and a timer inside an unopened tab does not tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

TAB_IDS = ("predict", "data", "augment", "train", "experiments")

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
    fast_timer: ticks every 2 s for everything live. tabs: `gr.Tabs(selected=…)` takes a `TAB_IDS`.
    page: the whole page; `page.load(…)` runs once for every visitor, whichever tab is in front.
    """

    data_choice: gr.State
    policy: gr.State
    fast_timer: gr.Timer
    tabs: gr.Tabs
    page: gr.Blocks
