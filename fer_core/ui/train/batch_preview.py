"""What a batch of the run that the form describes will look like."""

from __future__ import annotations

import html
from collections.abc import Callable

import gradio as gr
import numpy as np

from fer_core.comparison.wording import whole_percent
from fer_core.data.faces import DataError
from fer_core.labels import colour
from fer_core.runs.checkpoint import CheckpointError
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.preview import BatchPreview, preview_batch
from fer_core.ui.shared.face_grid import GridFace, face_grid
from fer_core.ui.shared.open_sets import allowed_source
from fer_core.ui.shared.settings import AppSettings

_ASK = "Shows the first images as the network will see them, with what it is to say of each."


def build_batch_preview() -> tuple[gr.Button, gr.HTML]:
    """The button and the place of the grid; the caller wires them to its form."""
    with gr.Accordion("Preview of a batch", open=False, elem_id="batch-preview"):
        button = gr.Button("Show a batch", size="sm", elem_id="show-batch")
        grid = gr.HTML(nothing_yet(), elem_id="batch-grid", js_on_load=None)
    return button, grid


def nothing_yet() -> str:
    """What stands in the place of the grid before it is asked for, and once its set is another."""
    return f'<p class="note">{_ASK}</p>'


def show_batch(read: Callable[[], RunConfig], settings: AppSettings) -> str:
    """HTML of the grid, or the reason why there is none. read: makes the configuration."""
    if settings.public:  # a batch of any size and preparation is work that no stranger may ask for
        return '<p class="note">Training and its preview are closed on a public page.</p>'
    try:
        config = read()
        allowed_source(config.data, settings)
        return batch_html(preview_batch(config))
    except (ConfigError, DataError, CheckpointError, OSError) as error:
        return f'<p class="note">No batch can be shown: {html.escape(str(error))}</p>'


def batch_html(preview: BatchPreview) -> str:
    faces = [
        GridFace(
            image,
            caption=(name := preview.class_names[int(target.argmax())]),
            detail=_shares(target, preview.class_names),
            colour=colour(name),
            alt=f"a training image to be called {name}",
        )
        for image, target in zip(preview.images, preview.targets, strict=True)
    ]
    note = f"The first {len(faces)} of a batch of {preview.batch_size:,}."
    return f'<p class="note">{note}</p>{face_grid(faces)}'


def _shares(target: np.ndarray, names: tuple[str, ...]) -> str:
    """ "70 % happy, 30 % sad" for a mixed image, nothing for a plain one."""
    if target.max() > 0.995:
        return ""
    order = np.argsort(-target)
    parts = [
        f"{whole_percent(target[place])} {names[place]}"
        for place in order
        if target[place] >= 0.005
    ]
    return ", ".join(parts)
