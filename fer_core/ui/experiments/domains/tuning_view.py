"""Fine-tuning in the New domain tab: the plan, the run's progress, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fer_core.comparison.domains.tuning import SLICE_SHARES, TuningPlan
from fer_core.data.faces import DataError
from fer_core.runs.checkpoint import CheckpointError
from fer_core.runs.config import ConfigError
from fer_core.runs.record import RunError
from fer_core.ui.experiments.domains import html as shown
from fer_core.ui.experiments.domains import page
from fer_core.ui.experiments.domains import tuning_page as tuning
from fer_core.ui.experiments.run_views import STATUS_CSS
from fer_core.ui.figures.domain import change_figure
from fer_core.ui.shared.patient_slider import PatientSlider
from fer_core.ui.shared.progress import paced
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState
from fer_core.ui.train.live_run import CLOSED

_REFUSALS = (DataError, CheckpointError, ConfigError, RunError, OSError, ValueError)
_CSS = STATUS_CSS + shown.DOMAIN_CSS
_ABOUT = (
    "The checkpoint goes on learning from a few images of the new set, with a low learning rate "
    "and its first layers frozen. It becomes a run like every other; half of the set is held out, "
    "and before and after are compared on that half alone."
)
_OLD_DOMAIN = (
    "Learning the new can unlearn the old. This scores both, before and after, on the test images "
    "of the set that the checkpoint came from."
)
_PLAN = TuningPlan()


@dataclass(frozen=True)
class TuningView:
    """What the rest of the tab needs: `plan(*plan_inputs)` is the text for `plan_line`."""

    plan: Callable[..., Any]
    plan_inputs: list[Any]
    plan_line: gr.HTML


def build_tuning_view(
    settings: AppSettings, shared: SharedState, pair: gr.State, lists: list[gr.Dropdown]
) -> TuningView:
    """pair: the `Pair` on show; lists: what each of its classes counts as."""
    opened = not settings.public
    low, high = SLICE_SHARES
    gr.Markdown("## 4 · Fine-tune on a small slice")
    gr.Markdown(_ABOUT, elem_classes="note")
    with gr.Row():
        share = PatientSlider(
            100 * low,
            100 * high,
            100 * _PLAN.slice_share,
            step=0.5,
            label="Slice, % of the set",
            info="Images to learn from; every class in proportion.",
            interactive=opened,
            min_width=220,
            elem_id="domain-slice",
        )
        frozen = PatientSlider(
            0,
            95,
            100 * _PLAN.frozen_share,
            step=5,
            label="Frozen layers, %",
            info="From the input on; these keep their weights.",
            interactive=opened,
            min_width=220,
            elem_id="domain-frozen",
        )
        rate = gr.Number(
            _PLAN.learning_rate,
            label="Learning rate",
            info="Low, so that little is unlearned.",
            step=1e-5,
            interactive=opened,
            min_width=150,
            elem_id="domain-rate",
        )
        epochs = gr.Number(
            _PLAN.epochs,
            label="Epochs",
            info="How often the slice is gone through.",
            precision=0,
            minimum=1,
            maximum=200,
            interactive=opened,
            min_width=150,
            elem_id="domain-epochs",
        )
    plan_line = gr.HTML(elem_id="domain-plan", min_height=24, js_on_load=None)
    with gr.Row(elem_classes="bottom-row"):
        run_name = gr.Textbox(
            label="Name of the run",
            placeholder="left empty: the checkpoint's name and -tuned",
            max_length=80,
            interactive=opened,
            min_width=240,
            elem_id="domain-run-name",
        )
        start = gr.Button(
            "Fine-tune",
            variant="primary",
            interactive=opened,
            min_width=200,
            scale=0,
            elem_id="domain-tune",
        )
    message = gr.HTML(
        "" if opened else shown.sentence(CLOSED.replace("`", "")),
        css_template=_CSS,
        elem_id="domain-tune-message",
        js_on_load=None,
    )

    gr.Markdown("## 5 · Before and after")
    with gr.Row(elem_classes="bottom-row"):
        watched = gr.Dropdown(
            [],
            label="Fine-tuned run",
            info="Every run that started from a checkpoint.",
            allow_custom_value=True,
            min_width=290,
            elem_id="domain-watched",
        )
        stop = gr.Button(
            "Stop", interactive=False, min_width=110, scale=0, elem_id="domain-tune-stop"
        )
    status = gr.HTML(
        tuning.no_tuning(settings), css_template=_CSS, elem_id="domain-tune-status", js_on_load=None
    )
    comparing = gr.HTML(css_template=_CSS, elem_id="domain-comparing", js_on_load=None)
    with gr.Column(visible=False) as results:
        cards = gr.HTML(css_template=_CSS, elem_id="domain-before-after", js_on_load=None)
        with gr.Row():
            with gr.Column(scale=5, min_width=320):
                gr.Markdown("**Share of each expression named right**")
                changes = gr.Plot(show_label=False, elem_id="domain-changes")
            with gr.Column(scale=7, min_width=320):
                gr.Markdown("**Per expression, on the held-out images**")
                table = gr.HTML(elem_id="domain-tune-classes", js_on_load=None)
        gr.Markdown("**And its old domain?**")
        gr.Markdown(_OLD_DOMAIN, elem_classes="note")
        old = gr.Button(
            "Score the old domain before and after",
            interactive=opened,
            size="sm",
            elem_id="domain-old",
        )
        forgotten = gr.HTML(css_template=_CSS, elem_id="domain-forgotten", js_on_load=None)

    stamp = gr.State(None)  # (name, state) of the run on show; its change compares anew
    sent = gr.State(None)  # what this viewer was last shown of the run
    plan_inputs = [pair, share, frozen, rate, epochs, *lists]

    def plan(now: page.Pair | None, *values: Any) -> Any:
        if now is None:
            return ""
        try:
            wanted = tuning.tuning_plan(*values[:4])
            return tuning.plan_words(settings, now, page.mapping_of(now, values[4:]), wanted)
        except _REFUSALS as error:
            return shown.problem(error)

    def on_start(now: page.Pair | None, name: Any, *values: Any) -> tuple[Any, Any]:
        if now is None:
            return shown.sentence("Choose a checkpoint and a set first."), gr.skip()
        try:
            wanted = tuning.tuning_plan(*values[:4])
            mapping = page.mapping_of(now, values[4:])
            run = tuning.start_tuning(settings, now, mapping, wanted, name)
        except _REFUSALS as error:
            return shown.problem(error), gr.skip()
        text = f"{run.name} was put in the queue; its progress appears below and in the Train tab."
        names = tuning.tunings(settings)
        return shown.sentence(text), gr.Dropdown(choices=names, value=run.name)

    def on_names(name: Any) -> Any:
        names = tuning.tunings(settings)
        if name in names:
            return gr.Dropdown(choices=names)
        return gr.Dropdown(choices=names, value=names[0] if names else None)

    def on_watch(name: Any, before: Any) -> tuple[Any, ...]:
        now = tuning.watch(settings, name)
        if now == before:
            return (gr.skip(),) * 4
        changed = before is None or now.stamp != before.stamp
        return (
            now.status,
            gr.Button(interactive=now.can_stop),
            now.stamp if changed else gr.skip(),
            now,
        )

    def on_stop(name: Any) -> None:
        try:
            gr.Info(tuning.stop_tuning(settings, name))
        except _REFUSALS as error:
            raise gr.Error(str(error), print_exception=False) from error

    def on_compare(now: Any) -> Iterator[tuple[Any, ...]]:
        """comparing, results, cards, changes, table, forgotten; one tuple per batch."""
        keep = (gr.skip(),) * 4
        if not now or now[1] != "finished":
            yield "", gr.Column(visible=False), *keep[:3], ""
            return
        yield shown.sentence("Reading the held-out images …"), gr.Column(visible=False), *keep
        try:
            for step in paced(tuning.comparing(settings, now[0])):
                if step.report is None:
                    line = shown.progress_line(step.done, step.total, "Scored before fine-tuning")
                    yield line, gr.skip(), *keep
        except _REFUSALS as error:
            yield shown.problem(error), gr.Column(visible=False), *keep
            return
        report = step.report
        sides = [shown.shares_right(report[side], report["classes"]) for side in _SIDES]
        figure = change_figure(report["classes"], *sides)
        table = shown.tuning_table(report)
        yield "", gr.Column(visible=True), shown.tuning_cards(report), figure, table, ""

    def on_old(name: Any) -> Iterator[str]:
        yield shown.sentence("Reading the old domain …")
        try:
            for step in paced(tuning.forgetting(settings, name)):
                if step.report is None:
                    yield shown.progress_line(step.done, step.total, "Scored before and after")
        except _REFUSALS as error:
            yield shown.problem(error)
            return
        yield shown.old_domain(step.report)

    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    scoring = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_id": "domain",
        "concurrency_limit": 2,
    }
    watching = {
        "inputs": [watched, sent],
        "outputs": [status, stop, stamp, sent],
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_limit": 8,
    }
    gr.on(
        [share.release, frozen.release, rate.input, epochs.input],
        plan,
        plan_inputs,
        plan_line,
        trigger_mode="always_last",
        **quiet,
    )
    start.click(
        on_start,
        [pair, run_name, share, frozen, rate, epochs, *lists],
        [message, watched],
        api_visibility="private",
        show_progress="minimal",
        concurrency_limit=4,
    ).then(on_watch, **watching)
    gr.on(
        [shared.page.load, shared.tabs.select, stamp.change],  # the run may have been deleted
        on_names,
        watched,
        watched,
        trigger_mode="always_last",
        **quiet,
    )
    scored = old.click(on_old, watched, forgotten, **scoring)
    outputs = [comparing, results, cards, changes, table, forgotten]
    # "multiple": behind one that was cancelled, Gradio's "always_last" would wait for ever
    compared = stamp.change(on_compare, stamp, outputs, trigger_mode="multiple", **scoring)
    # figures of one run must not come under another
    watched.change(None, cancels=[scored, compared])
    gr.on([shared.fast_timer.tick, watched.change], on_watch, **watching)
    stop.click(on_stop, watched, api_visibility="private").then(on_watch, **watching)
    return TuningView(plan, plan_inputs, plan_line)


_SIDES = ("before", "after")
