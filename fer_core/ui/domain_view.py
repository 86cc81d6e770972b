"""A checkpoint on another set, before and after fine-tuning on a slice of it."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.settings import AppSettings
from fer_core.ui.shared_state import SharedState


def build_domain_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown("A checkpoint on another set, before and after fine-tuning on a slice of it.")
