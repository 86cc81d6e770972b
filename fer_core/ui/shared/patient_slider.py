"""A slider whose number can be emptied while another one is being typed."""

from __future__ import annotations

import gradio as gr


class PatientSlider(gr.Slider):
    """`gr.Slider` that takes an emptied number for the smallest; Gradio's own fails on it."""

    # shown as the component it inherits from; see `picture_input.PhotoInput`
    is_template = True

    def preprocess(self, payload: float | None) -> float:
        return super().preprocess(self.minimum if payload is None else payload)
