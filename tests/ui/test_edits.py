"""A form with a preview follows every change of its text boxes, a paste and a Backspace too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gradio as gr
import pytest

from fer_core.ui.experiments.budgets.form_view import build_budget_form
from fer_core.ui.experiments.sweeps.view import build_sweep_view
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, SharedState
from fer_core.ui.train.train_tab import build_train_tab

#: Builder → (its preview, text boxes that the preview depends on).
FORMS = {
    build_train_tab: ("repeat-command", ("field-model-options", "field-classes-left-out")),
    build_sweep_view: ("sweep-preview", ("sweep-values-1", "sweep-common", "sweep-name")),
    build_budget_form: ("budget-preview", ("budget-name", "contender-1-changes")),
}


# Gradio makes event loops while it builds a page and leaves their sockets to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("build", list(FORMS), ids=lambda build: build.__name__)
def test_a_preview_follows_every_change_of_a_text_box(
    build: Callable[..., object], tmp_path: Path
) -> None:
    with gr.Blocks() as page:
        timer = gr.Timer(2, active=False)
        shared = SharedState(
            gr.State(dict(DEFAULT_DATA_CHOICE)), gr.State({}), timer, gr.Tabs(), page, {}
        )
        build(AppSettings(tmp_path / "data", tmp_path / "runs"), shared)
    number = {block.elem_id: key for key, block in page.blocks.items() if block.elem_id}
    preview, boxes = FORMS[build]
    events = {event["id"]: event for event in page.config["dependencies"]}
    asking = [event for event in events.values() if number[preview] in event["outputs"]]
    # the preview is asked when everything that a handler filled has settled
    first = [events.get(event["trigger_after"], event) for event in asking]
    triggers = {trigger for event in first for trigger in event["targets"]}
    for box in boxes:
        assert (number[box], "change") in triggers, box
    # a start empties or renames the form, upon which the preview speaks again: what was started
    # must stand in a place that no preview writes to
    for started in {"sweep-started", "budget-started"} & set(number):
        writers = [
            event
            for event in page.config["dependencies"]
            if number[started] in event["outputs"] and number[preview] in event["outputs"]
        ]
        assert all(event["targets"][0][1] == "click" for event in writers)
