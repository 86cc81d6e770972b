"""The Experiments tab: the leaderboard, curves over each other, one run in detail, deleting."""

from __future__ import annotations

from typing import Any

import gradio as gr

from fer_core.runs.record import RunError
from fer_core.ui.experiments.budgets.view import build_budget_view
from fer_core.ui.experiments.competition.view import build_competition_view
from fer_core.ui.experiments.domains.view import build_domain_view
from fer_core.ui.experiments.efficiency_view import build_efficiency_view
from fer_core.ui.experiments.experiment_updates import (
    NO_ROWS,
    board_updates,
    confusion_update,
    detail_updates,
    mistakes_html,
)
from fer_core.ui.experiments.reference_view import build_reference_view
from fer_core.ui.experiments.run_board import COLUMNS, DATATYPES
from fer_core.ui.experiments.run_details import PER_CLASS_COLUMNS, deletable_run, delete
from fer_core.ui.experiments.run_views import LEGEND_CSS, STATUS_CSS
from fer_core.ui.experiments.sweeps.view import build_sweep_view
from fer_core.ui.figures.band import BAND_NOTE
from fer_core.ui.shared.in_view import into_view
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import LIVE_VIEWS, SharedState

_COLUMN_WIDTHS = (236, 90, 135, 110, 115, 100, 120, 95, 110, 115, 90, 85, 190, 300)

_ABOUT_COLUMNS = (
    "The dots beside a column's name sort and filter; a click on a row shows that run below; "
    "state, time, recipe and device stand further right. "
    "<b>Test %</b> is the accuracy of the best epoch by validation, beside it its 95 % interval; "
    "figures of different <b>Data</b> do not compare. A star behind the interval: what the run "
    "started from, or was taught by, had learned from some of these test images. "
    "<b>Twin-free %</b> leaves out test images that also stand in training, pixel for pixel. "
    "<b>Parameters</b> include what a model remembers of its training faces, if it does. "
    "<b>GFLOPs</b> are those of one forward pass of one image; a multiply-add counts as two."
)


def build_experiments_tab(settings: AppSettings, shared: SharedState) -> None:
    """The comparisons of finished runs, each behind an inner tab; the leaderboard comes first."""
    with gr.Tabs(elem_id="experiment-tabs", overflow_behavior="wrap") as views:
        with gr.Tab("Leaderboard", id="leaderboard", elem_id="tab-leaderboard"):
            _build_board(settings, shared.live("leaderboard"))
        with gr.Tab("Reference systems", id="references", elem_id="tab-references"):
            build_reference_view(settings, shared)
        with gr.Tab("Sweeps", id="sweeps", elem_id="tab-sweeps"):
            build_sweep_view(settings, shared.live("sweeps"))
        with gr.Tab("Equal budgets", id="budgets", elem_id="tab-budgets"):
            build_budget_view(settings, shared.live("budgets"))
        with gr.Tab("Efficiency", id="efficiency", elem_id="tab-efficiency"):
            build_efficiency_view(settings, shared.live("efficiency"))
        with gr.Tab("New domain", id="domain", elem_id="tab-domain"):
            build_domain_view(settings, shared.live("domain"))
        with gr.Tab("Competition files", id="competition", elem_id="tab-competition"):
            build_competition_view(settings, shared)
    _tick_only_in_front(shared, views)


def _tick_only_in_front(shared: SharedState, views: gr.Tabs) -> None:
    """A tick costs the browser work for every widget that it may set, seen or not."""
    front = gr.State("Leaderboard")  # title of the inner tab in front

    def timers(title: str | None) -> list[gr.Timer]:
        ticking = [gr.Timer(active=LIVE_VIEWS[view] == title) for view in shared.timers]
        return [gr.Timer(active=title is None), *ticking]

    def on_view(event: gr.SelectData) -> tuple[Any, ...]:
        return event.value, *timers(event.value)

    def on_tab(title: str, event: gr.SelectData) -> list[gr.Timer]:
        return timers(title if event.value == "Experiments" else None)

    outputs = [shared.fast_timer, *shared.timers.values()]
    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    views.select(on_view, None, [front, *outputs], **quiet)
    shared.tabs.select(on_tab, front, outputs, **quiet)


def _build_board(settings: AppSettings, shared: SharedState) -> None:
    empty = gr.Markdown(NO_ROWS, visible=False, elem_id="no-runs")
    table = gr.Dataframe(
        headers=list(COLUMNS),
        datatype=list(DATATYPES),
        column_widths=list(_COLUMN_WIDTHS),
        label="Leaderboard on the test split",
        interactive=False,
        pinned_columns=1,
        max_height=420,
        elem_id="leaderboard",
    )
    with gr.Column() as body:
        gr.HTML(f"<p class='note'>{_ABOUT_COLUMNS}</p>")
        with gr.Row():
            refresh = gr.Button("Read the runs again", size="sm", elem_id="refresh-board")
            download = gr.DownloadButton("Download as CSV", size="sm", elem_id="download-board")

        gr.Markdown("## Curves over each other")
        # Custom values are allowed because lists grow while the page is open; the handlers check.
        compared = gr.Dropdown(
            [],
            multiselect=True,
            label="Runs",
            info="One colour each; validation solid, training dotted.",
            allow_custom_value=True,
            elem_id="compared-runs",
        )
        gr.HTML(f"<p class='note'>{BAND_NOTE}</p>")
        legend = gr.HTML(
            css_template=LEGEND_CSS,
            elem_id="compared-legend",
            js_on_load=None,
        )
        with gr.Row():
            loss = gr.Plot(show_label=False, min_width=320, elem_id="compared-loss")
            accuracy = gr.Plot(show_label=False, min_width=320, elem_id="compared-accuracy")

        gr.Markdown("## One run")
        chosen = gr.Dropdown(
            [], label="Run or checkpoint", allow_custom_value=True, elem_id="inspected-run"
        )
        about = gr.HTML(css_template=STATUS_CSS, elem_id="run-summary", js_on_load=None)
        with gr.Row(visible=False) as scores:
            with gr.Column(scale=6, min_width=320):
                shares = gr.Radio(
                    [("shares of each true expression", True), ("numbers of images", False)],
                    value=True,
                    label="Confusion matrix",
                    info="Rows are the true expression, columns the predicted one.",
                    elem_id="confusion-kind",
                )
                confusion = gr.Plot(show_label=False, elem_id="confusion")
            with gr.Column(scale=5, min_width=320):
                classes = gr.Dataframe(
                    headers=list(PER_CLASS_COLUMNS),
                    datatype=["str", *["number"] * (len(PER_CLASS_COLUMNS) - 1)],
                    label="Per expression, on the test split",
                    interactive=False,
                    elem_id="per-class",
                )
        gr.Markdown("**Most confident mistakes** on the test split")
        wrong = gr.HTML(elem_id="mistakes", js_on_load=None)
        with gr.Accordion("Its settings and the command that repeats it", open=False):
            command = gr.Textbox(
                label="The command that repeats it",
                lines=2,
                interactive=False,
                buttons=["copy"],
                elem_classes="mono",
                elem_id="run-command",
            )
            config = gr.Code(label="config.json", language="json", interactive=False, max_lines=18)
        ask = gr.Button("Delete this run …", size="sm", visible=False, elem_id="delete-run")
        with gr.Group(visible=False, elem_id="delete-confirm") as confirm:
            question = gr.Markdown(padding=True)
            with gr.Row():
                really = gr.Button(
                    "Delete for good", variant="stop", size="sm", elem_id="delete-really"
                )
                keep = gr.Button("Keep it", size="sm", elem_id="delete-keep")

    known = gr.State({})  # part of the tab → what this viewer was last sent
    stamp = gr.State(None)  # (name, state) of the run in detail; its change redraws the details
    doomed = gr.State("")  # the run that the open question is about
    # Queued, because the change of a State is not noticed after an event with queue=False.
    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    board_inputs = [chosen, compared, known]
    board_outputs = [
        empty,
        body,
        table,
        download,
        compared,
        chosen,
        legend,
        loss,
        accuracy,
        stamp,
        known,
    ]

    def on_board(name: Any, names: Any, sent: dict[str, Any]) -> tuple[Any, ...]:
        return board_updates(settings, name, names, sent)

    def on_again(name: Any, names: Any) -> tuple[Any, ...]:
        return board_updates(settings, name, names, {"chosen before": True})

    def on_row(event: gr.SelectData) -> Any:
        return str(event.row_value[0]) if event.row_value else gr.skip()

    def on_detail(name: Any, as_shares: bool) -> tuple[Any, ...]:
        return detail_updates(settings, name, as_shares)

    def on_ask(name: Any) -> tuple[Any, str, str]:
        folder = _or_error(deletable_run, settings, name)
        text = (
            f"Delete **{plain(folder.name)}** with its weights, curves and predictions? "
            "There is no undo."
        )
        return gr.Group(visible=True), text, folder.name

    def on_really(name: Any) -> tuple[Any, None]:
        gr.Info(_or_error(delete, settings, name))
        return gr.Group(visible=False), None

    shared.page.load(on_board, board_inputs, board_outputs, **quiet)
    shared.fast_timer.tick(on_board, board_inputs, board_outputs, **quiet)
    gr.on([chosen.change, compared.change], on_board, board_inputs, board_outputs, **quiet)
    refresh.click(on_again, [chosen, compared], board_outputs, **quiet)
    table.select(on_row, None, chosen, **quiet)
    stamp.change(
        on_detail,
        [chosen, shares],
        [about, scores, confusion, classes, command, config, ask],
        **quiet,
    )
    stamp.change(lambda: gr.Group(visible=False), None, confirm, **quiet)
    stamp.change(
        lambda name: mistakes_html(settings, name),
        chosen,
        wrong,
        show_progress="minimal",
        api_visibility="private",
    )
    shares.input(
        lambda name, as_shares: confusion_update(settings, name, as_shares),
        [chosen, shares],
        confusion,
        trigger_mode="always_last",
        **quiet,
    )
    ask.click(on_ask, chosen, [confirm, question, doomed], **quiet).success(
        None, None, None, js=into_view("#delete-confirm"), api_visibility="private"
    )
    keep.click(lambda: gr.Group(visible=False), None, confirm, **quiet)
    really.click(on_really, doomed, [confirm, chosen], api_visibility="private").then(
        on_board, board_inputs, board_outputs, **quiet
    )


def _or_error(action: Any, *arguments: Any) -> Any:
    try:
        return action(*arguments)
    except RunError as error:
        raise gr.Error(str(error), print_exception=False) from error
