"""Progress of a long piece of work for the page, in no more messages than a browser can show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import gradio as gr

Step = TypeVar("Step")

#: Between two messages of one piece of work. A browser on a busy machine takes a fifth of a second
#: for each; what it has not shown yet it shows also after Stop, over what Stop has said.
PAUSE = 0.5


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


def stop_twice(button: gr.Button, running: Any, **said: Any) -> None:
    """A click cancels the event `running` and shows what `said` (arguments of `click`) computes.

    Twice, since a message on the progress may have been on its way to the page.
    """
    button.click(cancels=[running], **said).then(**said)


def paced(steps: Iterable[Step], pause: float = PAUSE) -> Iterator[Step]:
    """The first step, those that come `pause` seconds or more after one that was told, the last."""
    told, left = float("-inf"), []
    for step in steps:
        if time.monotonic() - told < pause:
            left = [step]
            continue
        told, left = time.monotonic(), []
        yield step
    yield from left
