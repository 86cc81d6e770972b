"""Recipes under the same budget, side by side, with a verdict."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.settings import AppSettings
from fer_core.ui.shared_state import SharedState


def build_budget_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown("Recipes under the same budget, side by side, with a verdict.")
