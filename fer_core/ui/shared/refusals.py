"""A refusal inside a handler becomes a notice in words instead of a bare "Error"."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError


def in_words(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler; a DataError of its (a file that is gone since, say) is shown to the visitor."""

    @functools.wraps(handler)
    def guarded(*values: Any) -> Any:
        try:
            return handler(*values)
        except DataError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return guarded
