"""Competition files: predict unlabelled rows, rank prediction files."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.settings import AppSettings
from fer_core.ui.shared_state import SharedState


def build_competition_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown("Competition files: predict unlabelled rows, rank prediction files.")
