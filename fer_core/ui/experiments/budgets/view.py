"""Equal budgets: contenders trained under one budget, or any finished runs, with a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from fer_core.comparison.budgets.runs import resume_budget, stop_budget
from fer_core.comparison.budgets.spending import AXES
from fer_core.runs.record import RunError
from fer_core.ui.experiments.budgets.asking import build_asking
from fer_core.ui.experiments.budgets.form_view import (
    QUIET,
    BudgetForm,
    build_budget_form,
    start_updates,
)
from fer_core.ui.experiments.budgets.results import BY_HAND, needed_plan
from fer_core.ui.experiments.budgets.updates import PARTS, budget_updates
from fer_core.ui.experiments.budgets.words import EXPECTATIONS, MEASURES, NOTHING, VERDICT_CSS
from fer_core.ui.experiments.run_views import LEGEND_CSS, STATUS_CSS
from fer_core.ui.figures.band import BAND_NOTE
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_ABOUT = (
    "Two methods can only be compared when they had the same chances: the same images, and the "
    "same epochs, updates or seconds to learn from them. Train them side by side here, or choose "
    "runs that are finished; the verdict says whether the difference is more than noise."
)


def build_budget_view(settings: AppSettings, shared: SharedState) -> None:
    gr.HTML(f"<p class='note'>{_ABOUT}</p>")
    with gr.Accordion("What to expect under equal epochs, updates and seconds", open=False):
        gr.Markdown(EXPECTATIONS, elem_id="budget-expectations")
    with gr.Accordion(
        "Train contenders under one budget", open=not settings.public, elem_id="budget-form"
    ):
        form = build_budget_form(settings, shared)
    _build_results(settings, shared, form)


def _build_results(settings: AppSettings, shared: SharedState, form: BudgetForm) -> None:
    widgets: dict[str, Any] = {}
    gr.Markdown("## Compare")
    widgets["empty"] = gr.Markdown(NOTHING, visible=False, elem_id="budget-empty")
    with gr.Column(elem_id="budget-results") as widgets["body"]:
        # Custom values are allowed because lists grow while the page is open; handlers check.
        widgets["stored"] = gr.Dropdown(
            [("runs chosen by hand", BY_HAND)],
            value=BY_HAND,
            label="Comparison",
            allow_custom_value=True,
            elem_id="budget-stored",
        )
        widgets["picked"] = gr.Dropdown(
            [],
            multiselect=True,
            label="Runs to compare",
            info="Any finished runs and shipped checkpoints that were tested on the same set.",
            allow_custom_value=True,
            elem_id="budget-picked",
        )
        widgets["progress"] = gr.HTML(
            css_template=STATUS_CSS, visible=False, js_on_load=None, elem_id="budget-progress"
        )
        with gr.Row():
            widgets["stop"] = gr.Button("Stop", size="sm", visible=False, elem_id="budget-stop")
            widgets["resume"] = gr.Button(
                "Resume", size="sm", visible=False, elem_id="budget-resume"
            )
        gr.Markdown("## Verdict")
        widgets["pair"] = gr.Dropdown(
            [],
            label="Pair in detail",
            visible=False,
            allow_custom_value=True,
            elem_id="budget-pair",
        )
        widgets["verdict"] = gr.HTML(
            css_template=VERDICT_CSS + STATUS_CSS, js_on_load=None, elem_id="budget-verdict"
        )
        widgets["asking"], widgets["asking_note"], asking = build_asking(
            settings, shared, [widgets["stored"], widgets["picked"]]
        )
        gr.Markdown("## Curves over each other")
        axis = gr.Radio(
            [("epochs", "epochs"), ("updates", "updates"), ("seconds of training", "seconds")],
            value=AXES[0],
            label="Along",
            elem_id="budget-axis",
        )
        gr.HTML(f"<p class='note'>{BAND_NOTE}</p>")
        widgets["legend"] = gr.HTML(
            css_template=LEGEND_CSS,
            js_on_load=None,
            elem_id="budget-legend",
        )
        with gr.Row():
            for part in ("accuracy", "loss"):
                widgets[part] = gr.Plot(
                    show_label=False, min_width=320, elem_id=f"budget-{part}-chart"
                )
        with gr.Column(elem_id="budget-classes") as widgets["class_group"]:
            gr.Markdown("## Expression by expression")
            measure = gr.Radio(
                [(words, name) for name, words in MEASURES.items()],
                value="recall",
                label="Figure",
                info="Recall: the share of an expression's images that were named right.",
                elem_id="budget-measure",
            )
            with gr.Row():
                widgets["class_chart"] = gr.Plot(
                    show_label=False, min_width=320, elem_id="budget-class-chart"
                )
                with gr.Column(min_width=320):
                    widgets["class_table"] = gr.HTML(js_on_load=None, elem_id="budget-class-table")
        widgets["spent"] = gr.HTML(js_on_load=None, elem_id="budget-spent")
        widgets["command"] = gr.Textbox(
            label="The command that repeats it",
            lines=2,
            interactive=False,
            buttons=["copy"],
            elem_classes="mono",
            elem_id="budget-compare-command",
        )
    widgets["known"] = gr.State({})
    chosen = [widgets["stored"], widgets["picked"]]
    inputs = [*chosen, axis, widgets["pair"], measure, widgets["known"]]
    outputs = [widgets[part] for part in PARTS]

    def on_results(*values: Any) -> tuple[Any, ...]:
        return budget_updates(settings, *values)

    def on_start(*values: Any) -> Iterator[tuple[Any, ...]]:
        yield from start_updates(settings, values)

    def on_stop(name: Any) -> None:
        count = _or_error(stop_budget, settings, name)
        gr.Info(f"{count} of {name} stop; what they learned so far is kept.")

    def on_resume(name: Any) -> None:
        gr.Info(f"{_or_error(resume_budget, settings, name)} of {name} go on.")

    shared.fast_timer.tick(on_results, inputs, outputs, **QUIET)
    shared.page.load(on_results, inputs, outputs, **QUIET)
    gr.on(
        [*(widget.change for widget in chosen), axis.input, widgets["pair"].input, measure.input],
        on_results,
        inputs,
        outputs,
        **QUIET,
    )
    asking.then(on_results, inputs, outputs, **QUIET)
    form.start.click(
        on_start,
        form.fields,
        [
            *(widgets["stored"], form.message, form.started),
            *(form.name, form.preview, form.command, form.start),
        ],
        # what it is doing is said; spinners would lie over the form for as long
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=1,
    )
    for button, handler in ((widgets["stop"], on_stop), (widgets["resume"], on_resume)):
        button.click(handler, widgets["stored"], api_visibility="private").then(
            on_results, inputs, outputs, **QUIET
        )


def _or_error(action: Any, settings: AppSettings, name: Any) -> int:
    try:
        return action(needed_plan(settings, name), settings.runs_folder)
    except (RunError, ValueError, OSError) as error:  # its data or settings may be gone
        raise gr.Error(str(error), print_exception=False) from error
