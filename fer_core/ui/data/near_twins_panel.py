"""The part of the Data tab that looks for near twins when asked: a comparison of all with all."""

from __future__ import annotations

import random
from typing import Any

import gradio as gr

from fer_core.comparison.wording import whole_percent
from fer_core.data.near_twins import NEAR, PARTS
from fer_core.ui.data.near_twins_view import near_twins_html
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.progress import reporter
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.shared_state import SharedState

_WHAT = (
    "The same photograph often stands in a set more than once, cropped or compressed in another "
    "way. This looks for images of validation and test whose grey values correlate by "
    f"{whole_percent(NEAR)} or more with those of a training image."
)


def build_near_twins(shared: SharedState) -> None:
    """Components and events; call inside the tab."""
    with gr.Accordion("Near twins: almost the same picture in another part", open=False):
        gr.Markdown(_WHAT, elem_classes="note")
        look = gr.Button("Look for near twins", elem_id="data-near-look")
        shown = gr.HTML(elem_id="data-near-twins")

    def on_look(
        choice: dict[str, Any],
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        told = {
            part: reporter(progress, f"Comparing {part} with training", "images") for part in PARTS
        }
        faces = open_sets.open_faces(choice["source"])
        plan = open_sets.plan_of(choice)
        found = open_sets.open_near_twins(
            faces, plan, lambda part, done, total: told[part](done, total)
        )
        split = open_sets.open_split(faces, plan)
        return near_twins_html(faces, split, found, random.randrange(2**31))

    looking = look.click(
        in_words(on_look), shared.data_choice, shown, api_visibility="private", concurrency_limit=1
    )
    # what was found, or is being looked for, is of the set and split that were chosen then
    shared.data_choice.change(
        lambda: "",
        None,
        shown,
        cancels=[looking],
        show_progress="hidden",
        api_visibility="private",
    )
