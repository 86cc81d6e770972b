"""Which event of a widget says that the visitor has edited it."""

from __future__ import annotations

from typing import Any

import gradio as gr


def edited(widget: Any) -> Any:
    """The widget's event to listen to: `change` of a text box, `input` of everything else.

    A text box of Gradio 6.31 sends `input` only for a key that types a character: a paste, a cut,
    Delete and Backspace would pass unnoticed. `change` also follows when a handler fills the box,
    so the listener must not fill it again; `trigger_mode="always_last"` keeps that cheap.
    """
    return widget.change if isinstance(widget, gr.Textbox) else widget.input
