"""The live panel of the Train tab: one run's state, curves and log, reread on every tick.

A viewer's session keeps the chosen name and what it was last sent, so that only changes travel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fer_core.runs.config import ConfigError
from fer_core.runs.record import RunError
from fer_core.training.job import take_up_queue
from fer_core.ui.experiments.run_views import STATUS_CSS
from fer_core.ui.figures.band import BAND_NOTE
from fer_core.ui.figures.runs import training_figure
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState
from fer_core.ui.train.epoch_table import epoch_table_html
from fer_core.ui.train.live_run import FOLLOW, LiveRun, read_live, resume, stop

_CURVES_NOTE = (
    "Training is measured on augmented images while the network learns, so it may lie "
    f"below validation. {BAND_NOTE}"
)


@dataclass(frozen=True)
class LivePanel:
    """What the rest of the Train tab needs of the panel.

    chosen: the run list; setting it shows that run. load: a handler for events that should refresh
    the panel, with its keyword arguments ready.
    """

    chosen: gr.Dropdown
    load: Callable[..., tuple[Any, ...]]
    wiring: dict[str, Any]


def build_live_panel(settings: AppSettings, shared: SharedState) -> LivePanel:
    gr.Markdown("## Watch")
    # Custom values are allowed because the list grows while the page is open; the handlers check.
    chosen = gr.Dropdown(
        [("the running or newest run", FOLLOW)],
        value=FOLLOW,
        label="Run",
        allow_custom_value=True,
        elem_id="watched-run",
    )
    status = gr.HTML(css_template=STATUS_CSS, elem_id="run-status", js_on_load=None)
    with gr.Row():
        stop_button = gr.Button("Stop", interactive=False, size="sm", elem_id="stop-run")
        resume_button = gr.Button("Resume", interactive=False, size="sm", elem_id="resume-run")
    with gr.Row():
        loss = gr.Plot(show_label=False, min_width=300, elem_id="loss-curves")
        accuracy = gr.Plot(show_label=False, min_width=300, elem_id="accuracy-curves")
    gr.HTML(f"<p class='note'>{_CURVES_NOTE}</p>")
    with gr.Accordion("Epoch by epoch", open=False, elem_id="epoch-table-fold"):
        table = gr.HTML(elem_id="epoch-table", js_on_load=None)
    log = gr.HTML(css_template=STATUS_CSS, elem_id="run-log", js_on_load=None)
    with gr.Accordion("Queue", open=True):
        queue = gr.HTML(css_template=STATUS_CSS, elem_id="run-queue", js_on_load=None)

    shown = gr.State({})  # part of the panel → what this viewer was last sent
    outputs = [chosen, status, stop_button, resume_button, loss, accuracy, table, log, queue, shown]
    inputs = [chosen, shown]

    def on_watch(chosen_name: str, sent: dict[str, Any]) -> tuple[Any, ...]:
        live = read_live(settings, chosen_name)
        if live.waiting and not settings.public:  # their worker may have been killed meanwhile
            take_up_queue(settings.runs_folder)
        return panel_updates(live, sent)

    def on_stop(chosen_name: str) -> None:
        gr.Info(_or_error(stop, settings, chosen_name))

    def on_resume(chosen_name: str) -> None:
        gr.Info(_or_error(resume, settings, chosen_name))

    wiring = {
        "inputs": inputs,
        "outputs": outputs,
        "show_progress": "hidden",
        "queue": False,  # one request per tick instead of two, and no place in a line
        "api_visibility": "private",
    }
    shared.fast_timer.tick(on_watch, **wiring)
    shared.tabs.select(on_watch, **wiring)  # the timer rests while another tab is in front
    chosen.change(on_watch, **wiring)
    for button, handler in ((stop_button, on_stop), (resume_button, on_resume)):
        button.click(handler, chosen, api_visibility="private").then(on_watch, **wiring)
    return LivePanel(chosen, on_watch, wiring)


def panel_updates(live: LiveRun, sent: dict[str, Any]) -> tuple[Any, ...]:
    """Updates for the panel's outputs, `gr.skip()` for every part that this viewer already has."""
    now = {
        "choices": live.choices,
        "status": live.status,
        "stop": live.can_stop,
        "resume": live.can_resume,
        "curves": live.curves,
        "log": live.log,
        "queue": live.queue,
    }
    new = {part for part, value in now.items() if sent.get(part, _NEVER) != value}
    if not new:
        return (gr.skip(),) * 10
    redraw = "curves" in new
    return (
        gr.update(choices=list(live.choices)) if "choices" in new else gr.skip(),
        live.status if "status" in new else gr.skip(),
        gr.update(interactive=live.can_stop) if "stop" in new else gr.skip(),
        gr.update(interactive=live.can_resume) if "resume" in new else gr.skip(),
        training_figure(live.epochs, "loss", live.best) if redraw else gr.skip(),
        training_figure(live.epochs, "accuracy", live.best, live.band) if redraw else gr.skip(),
        epoch_table_html(live.epochs, live.best) if redraw else gr.skip(),
        live.log if "log" in new else gr.skip(),
        live.queue if "queue" in new else gr.skip(),
        now,
    )


_NEVER = object()


def _or_error(action: Callable[..., str], *arguments: object) -> str:
    try:
        return action(*arguments)
    except (RunError, ConfigError) as error:
        raise gr.Error(str(error), print_exception=False) from error
