"""The Competition files tab: a file of predictions, and several of them against hidden labels."""

from __future__ import annotations

import gradio as gr

from fer_core.ui.experiments.competition.board import build_board_part
from fer_core.ui.experiments.competition.predict import build_predict_part
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState


def build_competition_view(settings: AppSettings, shared: SharedState) -> None:
    """Both halves behind inner tabs; call inside its `gr.Tab`."""
    with gr.Tabs(elem_id="competition-tabs", overflow_behavior="wrap"):
        with gr.Tab("Make a submission", id="submit", elem_id="tab-submit"):
            build_predict_part(settings, shared)
        with gr.Tab("Rank submissions", id="rank", elem_id="tab-rank"):
            build_board_part(settings, shared)
