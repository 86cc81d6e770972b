"""A form that is asked again after every edit of the visitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gradio as gr

#: Until everything that a handler has filled stands in its place. A box is told of its new text
#: before the boxes behind it have theirs, and an answer made of old and new would be the last word.
_SETTLED = "(...values) => new Promise(done => setTimeout(() => done(), 150))"


def on_edit(
    widgets: Iterable[Any],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    **options: Any,
) -> None:
    """Call `handler` with the whole form when one of the widgets was edited.

    The event is `change` of a text box, `input` of everything else: a text box of Gradio 6.31 sends
    `input` only for a key that types a character; a paste, a cut, Delete and Backspace would pass
    unnoticed. `change` also follows when a handler fills the box, so `handler` must not fill it
    again.
    """
    events = [
        widget.change if isinstance(widget, gr.Textbox) else widget.input for widget in widgets
    ]
    waiting = {name: value for name, value in options.items() if name == "api_visibility"}
    gr.on(
        events,
        None,
        None,
        None,
        js=_SETTLED,
        trigger_mode="always_last",
        show_progress="hidden",
        **waiting,
    ).then(handler, inputs, outputs, trigger_mode="always_last", **options)
