"""The part of the Data tab that shows pictures which occur more than once, when asked."""

from __future__ import annotations

import random
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError
from fer_core.ui.data.exact_twins_view import ANY, KINDS, exact_twins_html
from fer_core.ui.data.set_view import split_and_audit
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.shared_state import SharedState

_NOT_YET = '<p class="note">Random draw shows pictures of the set and split chosen above.</p>'


def build_exact_twins(shared: SharedState) -> None:
    """Components and events; call inside the tab."""
    with gr.Accordion("Exact twins: the pictures, their labels and parts", open=False) as fold:
        with gr.Row(elem_classes="bottom-row"):
            kind = gr.Radio(
                list(KINDS), value=ANY, label="Which", min_width=280, elem_id="data-exact-kind"
            )
            draw = gr.Button("Random draw", scale=0, min_width=160, elem_id="data-exact")
        shown = gr.HTML(_NOT_YET, elem_id="data-exact-twins")

    def on_draw(choice: dict[str, Any], wanted: str | None) -> str:
        if wanted not in {key for _, key in KINDS}:
            raise DataError("Choose which of the twins to show.")
        faces = open_sets.open_faces(choice["source"])
        split, _, _ = split_and_audit(faces, choice)
        groups = open_sets.open_twin_groups(faces)
        return exact_twins_html(faces, split, groups, wanted, random.randrange(2**31))

    gr.on(
        [fold.expand, draw.click, kind.input],
        in_words(on_draw),
        [shared.data_choice, kind],
        shown,
        trigger_mode="always_last",
        api_visibility="private",
        concurrency_limit=2,
    )
    # what was drawn is of the set and split that were chosen then
    shared.data_choice.change(
        lambda: _NOT_YET, None, shown, show_progress="hidden", api_visibility="private"
    )
