"""Sweeps and ablations: one grid of runs, one table."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.settings import AppSettings
from fer_core.ui.shared_state import SharedState


def build_sweep_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown("Sweeps and ablations: one grid of runs, one table.")
