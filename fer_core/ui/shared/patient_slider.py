"""A slider whose number can be typed: emptied meanwhile, or beyond the slider's ends."""

from __future__ import annotations

import gradio as gr


class PatientSlider(gr.Slider):
    """`gr.Slider` that takes an emptied number for the smallest and one beyond an end for that end.

    Gradio's own fails on both; the page shows the end, too.
    """

    # shown as the component it inherits from; see `picture_input.PhotoInput`
    is_template = True

    def preprocess(self, payload: float | None) -> float:
        payload = self.minimum if payload is None else payload
        return super().preprocess(min(max(payload, self.minimum), self.maximum))
