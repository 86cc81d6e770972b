"""The Augment tab's last part: a note for instructors, and a measurement with numbers to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.augment import findings
from fer_core.ui.augment.augment_view import policy_of
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

#: Faces of one measurement, and on a public page also the seconds after which it ends.
_FACES, _FACES_IN_PUBLIC, _SECONDS_IN_PUBLIC = 200, 60, 20.0
#: One operation is computed at a time, also for requests that go past the page's queue.
_ONE_AT_A_TIME = threading.Lock()


def build_measurement(
    settings: AppSettings,
    shared: SharedState,
    loaded: LoadedCheckpoints,
    model: gr.Dropdown,
    seed: gr.Number,
    sliders: list[gr.Slider],
) -> None:
    """Components and events; call below the sliders. model: names a checkpoint of `loaded`."""
    count = _FACES_IN_PUBLIC if settings.public else _FACES
    with gr.Accordion(
        "For instructors: which changes can turn one expression into another",
        open=False,
        elem_id="augment-instructors",
    ):
        gr.Markdown(findings.NOTE, elem_id="augment-note")
        with gr.Row(elem_classes="bottom-row"):
            measure = gr.Button(
                f"Measure on {count} faces", variant="primary", scale=0, min_width=270,
                elem_id="augment-measure",
            )  # fmt: skip
            stop = gr.Button(
                "Stop", interactive=False, scale=0, min_width=110, elem_id="augment-measure-stop"
            )
        status = gr.Markdown(
            findings.NOTHING_YET, elem_classes="note", elem_id="augment-measure-status"
        )
        table = gr.HTML(elem_id="augment-measured")

    def on_measure(
        choice: dict[str, Any], name: str | None, draw: float | None, *values: float | None
    ) -> Iterator[list[Any]]:
        limit = _SECONDS_IN_PUBLIC if settings.public else None
        yield from _steps(loaded, choice, name, int(draw or 0), values, count, limit)

    def on_stop() -> list[Any]:
        return ["Stopped. What had been measured stays.", gr.skip(), *_buttons(False)]

    outputs = [status, table, measure, stop]
    running = measure.click(
        on_measure,
        [shared.data_choice, model, seed, *sliders],
        outputs,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=2,
    )
    stop.click(
        on_stop, None, outputs, cancels=[running], show_progress="hidden",
        api_visibility="private", queue=False,
    )  # fmt: skip


def _steps(
    loaded: LoadedCheckpoints,
    choice: dict[str, Any],
    name: str | None,
    seed: int,
    values: tuple[float | None, ...],
    count: int,
    limit: float | None,
) -> Iterator[list[Any]]:
    """Status, table and the two buttons, anew after each operation. limit: seconds, None is ∞."""
    yield ["Loading the model and the faces …", "", *_buttons(True)]
    began, done, planned = time.monotonic(), 0, 0
    try:
        judge = loaded.predictor(loaded.entry(name)).checkpoint
        running = findings.measured(judge, choice, policy_of(values), count, seed)
        while True:
            with _ONE_AT_A_TIME:
                step = next(running, None)
            if step is None:
                break
            found, planned, data = step
            done = len(found)
            shown = findings.findings_html(found, judge.folder.name, data)
            yield [f"Measured {done - 1} of {planned - 1} …", shown, *_buttons(True)]
            if limit is not None and time.monotonic() - began > limit and done < planned:
                break
    except (CheckpointError, DataError) as error:
        yield [findings.refusal(error), "", *_buttons(False)]
        return
    seconds = time.monotonic() - began
    words = f"Measured in {seconds:.0f} s."
    if done < planned:
        words = (
            f"Ended after {seconds:.0f} s on this public page, with {done - 1} of {planned - 1} "
            "measured. Run the app on your own machine for all of them."
        )
    yield [words, gr.skip(), *_buttons(False)]


def _buttons(measuring: bool) -> tuple[Any, Any]:
    return gr.Button(interactive=not measuring), gr.Button(interactive=measuring)
