"""Progress of a long piece of work for the page, at most about a hundred messages."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr


def reporter(progress: gr.Progress, doing: str, unit: str) -> Callable[[int, int], None]:
    """What the work calls with (done, total); the page shows `doing` and how many of `unit`."""
    reported = -1

    def report(done: int, total: int) -> None:
        nonlocal reported
        percent = 100 * done // max(total, 1)
        if percent != reported:
            reported = percent
            progress((done, total), desc=doing, unit=unit)

    return report
