"""What accuracy costs: parameters, GFLOPs, latency, the Pareto front."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.settings import AppSettings
from fer_core.ui.shared_state import SharedState


def build_efficiency_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown("What accuracy costs: parameters, GFLOPs, latency, the Pareto front.")
