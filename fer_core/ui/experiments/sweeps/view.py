"""Sweeps and ablations: one grid of runs, one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from fer_core.comparison.sweeps.report import CHOICE_NOTE
from fer_core.comparison.sweeps.table import ORDERS
from fer_core.comparison.wording import counted
from fer_core.runs.config import ConfigError
from fer_core.runs.record import RunError
from fer_core.ui.experiments.run_views import LEGEND_CSS, STATUS_CSS
from fer_core.ui.experiments.sweeps import board
from fer_core.ui.experiments.sweeps.form import plan_from_form
from fer_core.ui.experiments.sweeps.planner import build_planner, read_inputs
from fer_core.ui.experiments.sweeps.updates import sweep_updates
from fer_core.ui.shared.in_view import into_view
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState
from fer_core.ui.train.train_tab import problem

_ORDER_WORDS = {
    "validation": "validation accuracy",
    "test": "test accuracy",
    "macro_f1": "macro F1 on the test part",
    "seconds": "time, shortest first",
    "plan": "the order of the plan",
}
_ABOUT = (
    "A sweep trains one run for every combination of values; an ablation turns methods on and off. "
    "The runs wait in the same queue as those of the **Train** tab, and stand in the leaderboard "
    "under the sweep's name."
)


def build_sweep_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown(_ABOUT, elem_classes="note")
    with gr.Row():
        with gr.Column(scale=6, min_width=320):
            planner = build_planner(settings, shared)
        with gr.Column(scale=5, min_width=320, elem_classes="stays"):
            gr.Markdown("## Watch")
            # Custom values: the list grows while the page is open; the handlers check.
            chosen = gr.Dropdown(
                [], label="Sweep", allow_custom_value=True, elem_id="watched-sweep"
            )
            with gr.Row():
                stop = gr.Button(
                    "Stop the rest", interactive=False, size="sm", elem_id="sweep-stop"
                )
                resume = gr.Button("Resume", interactive=False, size="sm", elem_id="sweep-resume")
                ask = gr.Button("Delete …", interactive=False, size="sm", elem_id="sweep-delete")
            with gr.Group(visible=False, elem_id="sweep-confirm") as confirm:
                question = gr.Markdown(padding=True)
                with gr.Row():
                    really = gr.Button(
                        "Delete for good", variant="stop", size="sm", elem_id="sweep-really"
                    )
                    keep = gr.Button("Keep it", size="sm", elem_id="sweep-keep")
            # below the buttons, which would jump with every count that comes or goes
            status = gr.HTML(css_template=STATUS_CSS, elem_id="sweep-status", js_on_load=None)
    with gr.Column(visible=False) as body:
        gr.Markdown("## Results")
        with gr.Row():
            kind = gr.Radio(
                [("results of each cell", "results"), ("ablation table", "ablation")],
                value="results",
                label="Table",
                min_width=260,
                elem_id="sweep-table-kind",
            )
            order = gr.Dropdown(
                [(_ORDER_WORDS[name], name) for name in ORDERS],
                value="validation",
                label="Results sorted by",
                min_width=260,
                elem_id="sweep-order",
            )
        gr.HTML(f"<p class='note'>{CHOICE_NOTE}</p>")
        table = gr.HTML(css_template=board.TABLE_CSS, elem_id="sweep-table", js_on_load=None)
        with gr.Row():
            downloads = [
                gr.DownloadButton(
                    f"Download as {words}", size="sm", interactive=False, elem_id=f"sweep-{name}"
                )
                for name, words in (("markdown", "Markdown"), ("csv", "CSV"), ("latex", "LaTeX"))
            ]
        gr.Markdown("## Curves of its runs")
        legend = gr.HTML(
            css_template=LEGEND_CSS,
            elem_id="sweep-legend",
            js_on_load=None,
        )
        with gr.Row():
            loss = gr.Plot(show_label=False, min_width=320, elem_id="sweep-loss")
            accuracy = gr.Plot(show_label=False, min_width=320, elem_id="sweep-accuracy")

    sent = gr.State({})  # part of the page → what this viewer was last sent
    doomed = gr.State("")  # the sweep that the open question is about
    inputs = [chosen, kind, order, sent]
    outputs = [
        *(chosen, status, stop, resume, ask, body, kind, table, *downloads),
        *(legend, loss, accuracy, sent),
    ]

    def on_watch(name: Any, table_kind: Any, by: Any, before: dict[str, Any]) -> tuple[Any, ...]:
        return sweep_updates(settings, name, table_kind, by, before)

    def on_start(*values: Any) -> tuple[Any, ...]:
        try:
            sweep = plan_from_form(*read_inputs(*values))
            text = board.start(settings, sweep)
        except (ConfigError, RunError) as error:
            return gr.skip(), problem(error), "", gr.skip()
        return sweep.name, "", f"**{plain(text)}** How far it is stands under *Watch*.", ""

    def on_stop(name: Any) -> None:
        gr.Info(_or_error(board.stop, settings, name))

    def on_resume(name: Any) -> None:
        gr.Info(_or_error(board.resume, settings, name))

    def on_ask(name: Any) -> tuple[Any, str, str]:
        sweep = _or_error(board.deletable_sweep, settings, name)
        text = (
            f"Delete **{plain(sweep.name)}** with its {counted(len(sweep.runs()), 'run')}, "
            "weights, curves and predictions? There is no undo."
        )
        return gr.Group(visible=True), text, sweep.name

    def on_really(name: Any) -> tuple[Any, None]:
        gr.Info(_or_error(board.delete, settings, name))
        return gr.Group(visible=False), None

    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    again = {"fn": on_watch, "inputs": inputs, "outputs": outputs, **quiet}
    shared.fast_timer.tick(**again)
    shared.page.load(**again)
    gr.on([chosen.change, kind.input, order.input], **again)
    # the rows of an ablation table stand in the order of its plan
    kind.change(lambda shown: gr.Dropdown(interactive=shown == "results"), kind, order, **quiet)
    chosen.change(lambda: gr.Group(visible=False), None, confirm, **quiet)
    planner.start.click(
        on_start,
        planner.inputs,
        [chosen, planner.message, planner.started, planner.name],
        api_visibility="private",
    ).then(**again)
    for button, handler in ((stop, on_stop), (resume, on_resume)):
        button.click(handler, chosen, api_visibility="private").then(**again)
    ask.click(on_ask, chosen, [confirm, question, doomed], **quiet).success(
        None, None, None, js=into_view("#sweep-confirm"), api_visibility="private"
    )
    keep.click(lambda: gr.Group(visible=False), None, confirm, **quiet)
    really.click(on_really, doomed, [confirm, chosen], api_visibility="private").then(**again)


def _or_error(action: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return action(*arguments)
    except (RunError, ConfigError) as error:
        raise gr.Error(str(error), print_exception=False) from error
