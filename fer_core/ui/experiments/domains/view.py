"""A checkpoint on another set: the mapping of classes, the figures, and fine-tuning on a slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError, Faces
from fer_core.runs.checkpoint import CheckpointError
from fer_core.runs.config import ConfigError
from fer_core.runs.record import RunError
from fer_core.ui.experiments.domains import html as shown
from fer_core.ui.experiments.domains import page
from fer_core.ui.experiments.domains.tuning_view import build_tuning_view
from fer_core.ui.experiments.run_views import STATUS_CSS
from fer_core.ui.figures.runs import confusion_figure
from fer_core.ui.shared.progress import paced, reporter, stop_twice
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_INTRO = (
    "How well does a checkpoint do on faces that it was not made for, and how much does a little "
    "training on a small slice of them help? Expressions are matched **by name**; every figure "
    "has its 95 % interval beside it."
)
_FIRST_LIMIT = 1000
_READING = "Reading faces", "faces"
#: What can go wrong with a visitor's choice, each with a sentence that says what to do.
REFUSALS = (DataError, CheckpointError, ConfigError, RunError, OSError, ValueError)
_CSS = STATUS_CSS + shown.DOMAIN_CSS
_NOT_YET = shown.sentence(
    "Press Evaluate: the figures, the confusion matrix and the mistakes appear here."
)


def sets_note(settings: AppSettings) -> str:
    """Where the sets of the list come from."""
    if settings.public:
        return "The sets of the Data tab."
    return "The sets of the Data tab; one that you open or upload there joins this list."


def build_domain_view(settings: AppSettings, shared: SharedState) -> None:
    """Components and events of the inner tab; call inside it."""
    gr.Markdown(_INTRO)
    gr.Markdown("## 1 · A checkpoint and another set")
    with gr.Row():
        # Custom values are allowed because both lists grow while the page is open.
        checkpoint = gr.Dropdown(
            [],
            label="Checkpoint",
            info="Shipped ones and your runs.",
            allow_custom_value=True,
            min_width=290,
            elem_id="domain-checkpoint",
        )
        source = gr.Dropdown(
            [("Drawn faces (built in)", "drawn")],
            value="drawn",
            label="Another set",
            info=sets_note(settings),
            allow_custom_value=True,
            min_width=290,
            elem_id="domain-set",
        )
    about = gr.HTML(css_template=_CSS, elem_id="domain-about", min_height=48, js_on_load=None)

    gr.Markdown("## 2 · What each class of the set counts as")
    with gr.Row(elem_id="domain-mapping"):
        lists = [_class_list(place) for place in range(page.MOST_CLASSES)]
    mapped = gr.HTML(elem_id="domain-mapped", min_height=24, js_on_load=None)

    gr.Markdown("## 3 · Evaluate")
    with gr.Row(elem_classes="bottom-row"):
        limit = gr.Number(
            page.PUBLIC_LIMIT if settings.public else _FIRST_LIMIT,
            label="Images at most",
            info=f"At most {page.PUBLIC_LIMIT} on this published page."
            if settings.public
            else "A stratified draw, the same every time; 0 takes all.",
            precision=0,
            minimum=0,
            maximum=page.PUBLIC_LIMIT if settings.public else None,
            min_width=200,
            elem_id="domain-limit",
        )
        evaluate = gr.Button(
            "Evaluate", variant="primary", min_width=200, scale=0, elem_id="domain-run"
        )
        stop = gr.Button("Stop", interactive=False, min_width=110, scale=0, elem_id="domain-stop")
    status = gr.HTML(_NOT_YET, css_template=_CSS, elem_id="domain-status", js_on_load=None)
    with gr.Column(visible=False) as results:
        cards = gr.HTML(css_template=_CSS, elem_id="domain-cards", js_on_load=None)
        with gr.Row():
            with gr.Column(scale=6, min_width=320):
                shares = gr.Radio(
                    [("shares of each true expression", True), ("numbers of images", False)],
                    value=True,
                    label="Confusion matrix",
                    info="Rows are the true expression, columns the predicted one.",
                    elem_id="domain-shares",
                )
                confusion = gr.Plot(show_label=False, elem_id="domain-confusion")
            with gr.Column(scale=6, min_width=320):
                gr.Markdown("**Per expression**")
                classes = gr.HTML(elem_id="domain-classes", js_on_load=None)
        gr.Markdown("**Most confident mistakes** on this set")
        gallery = gr.HTML(elem_id="domain-mistakes", js_on_load=None)

    pair = gr.State(None)  # the `Pair` on show, None while there is none
    matrix = gr.State(None)  # (confusion, class names) of the evaluation on show
    asked = gr.State(None)  # the `page.Question` of the evaluation on show
    tuning = build_tuning_view(settings, shared, pair, lists)

    opened = [pair, about, mapped, *lists]

    def on_lists(name: Any, wanted: Any, choice: dict[str, Any]) -> tuple[Any, Any]:
        """Both lists as they are now; a choice that can stay is not sent again."""
        names = page.checkpoint_choices(settings)
        sets = page.set_choices(settings, choice)
        return _with_choices(names, name), _with_choices(sets, wanted)

    def on_pair(
        name: Any,
        wanted: Any,
        before: page.Pair | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        if before is not None and (before.checkpoint, before.source) == (name, wanted):
            return [gr.skip()] * len(opened)
        try:
            found = page.open_pair(settings, name, wanted, reporter(progress, *_READING))
        except REFUSALS as error:
            hidden = [gr.Dropdown(visible=False)] * len(lists)
            return [None, shown.problem(error), "", *hidden]
        words = page.mapping_words(found, found.proposed)
        return [found, found.about, words, *_lists_of(found)]

    def on_mapping(now: page.Pair | None, *values: Any) -> Any:
        return gr.skip() if now is None else page.mapping_words(now, page.mapping_of(now, values))

    def on_evaluate(
        now: page.Pair | None,
        most: Any,
        as_shares: bool,
        *values: Any,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[tuple[Any, ...]]:
        """status, stop, results, cards, confusion, table, gallery, matrix, asked; per batch one."""
        keep = (gr.skip(),) * 7
        if now is None:
            yield shown.sentence("Choose a checkpoint and a set first."), gr.skip(), *keep
            return
        yield shown.sentence("Reading the images …"), gr.Button(interactive=True), *keep
        question = page.question_of(now, values)
        try:
            faces, steps = page.scoring(
                settings,
                now,
                question.mapping,
                page.image_limit(settings, most),
                reporter(progress, *_READING),
            )
            for step in paced(steps):
                if step.report is None:
                    yield shown.progress_line(step.done, step.total, "Scored"), gr.skip(), *keep
        except REFUSALS as error:
            yield shown.problem(error), gr.Button(interactive=False), *keep
            return
        yield "", gr.Button(interactive=False), *_results(step.report, faces, as_shares), question

    def on_other(now: page.Pair | None, told: page.Question | None, *values: Any) -> Any:
        """The status once figures are on show: whether they are those of the choice above them."""
        if told is None:
            return gr.skip()
        said = page.told_apart(told, now, values)
        return shown.sentence(said) if said else ""

    def on_shares(now: Any, as_shares: bool) -> Any:
        return gr.skip() if now is None else confusion_figure(*now, bool(as_shares))

    def on_stop(now: page.Pair | None, told: page.Question | None, *values: Any) -> tuple[str, Any]:
        text = "Stopped; nothing was kept of the unfinished evaluation. Evaluate begins anew."
        if told is not None:
            text = f"{text} {page.told_apart(told, now, values)}"
        return shown.sentence(text), gr.Button(interactive=False)

    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    chosen = [checkpoint, source]
    others = {"inputs": [pair, asked, *lists], "outputs": status, **quiet}
    reading = {
        "api_visibility": "private",
        "concurrency_limit": 2,
        "show_progress_on": about,
        "trigger_mode": "always_last",
    }
    gr.on(
        [shared.page.load, shared.tabs.select, shared.data_choice.change],
        on_lists,
        [*chosen, shared.data_choice],
        chosen,
        trigger_mode="always_last",
        **quiet,
    ).then(on_pair, [*chosen, pair], opened, **reading).then(
        tuning.plan, tuning.plan_inputs, tuning.plan_line, **quiet
    ).then(on_other, **others)
    gr.on([checkpoint.input, source.input], on_pair, [*chosen, pair], opened, **reading).then(
        tuning.plan, tuning.plan_inputs, tuning.plan_line, **quiet
    ).then(on_other, **others)
    gr.on(
        [one.input for one in lists],
        on_mapping,
        [pair, *lists],
        mapped,
        trigger_mode="always_last",
        **quiet,
    ).then(tuning.plan, tuning.plan_inputs, tuning.plan_line, **quiet).then(on_other, **others)
    running = evaluate.click(
        on_evaluate,
        [pair, limit, shares, *lists],
        [status, stop, results, cards, confusion, classes, gallery, matrix, asked],
        show_progress="hidden",
        api_visibility="private",
        concurrency_id="domain",
        concurrency_limit=2,
    )
    running.then(on_other, **others)  # another choice may have been made meanwhile
    stopped = {
        "fn": on_stop,
        "inputs": others["inputs"],
        "outputs": [status, stop],
        "api_visibility": "private",
    }
    stop_twice(stop, running, queue=False, **stopped)
    shares.input(on_shares, [matrix, shares], confusion, trigger_mode="always_last", **quiet)


def _class_list(place: int) -> gr.Dropdown:
    return gr.Dropdown(
        [page.LEAVE_OUT],
        value="",
        visible=False,
        allow_custom_value=True,
        min_width=150,
        elem_id=f"domain-class-{place}",
    )


def _lists_of(pair: page.Pair) -> list[Any]:
    """One list per class of the set with the proposed choice in it; the others are hidden."""
    choices = [*((name, name) for name in pair.targets), page.LEAVE_OUT]
    named = list(pair.counts.items())[: page.MOST_CLASSES]
    found = [
        gr.Dropdown(
            choices=choices,
            value=pair.proposed[label],
            label=f"{label} · {count:,}",
            visible=True,
        )
        for label, count in named
    ]
    return found + [gr.Dropdown(visible=False)] * (page.MOST_CLASSES - len(found))


def _with_choices(choices: list[tuple[str, str]], value: Any) -> Any:
    if value in {name for _, name in choices}:
        return gr.Dropdown(choices=choices)
    return gr.Dropdown(choices=choices, value=choices[0][1] if choices else None)


def _results(report: dict[str, Any], faces: Faces, as_shares: bool) -> tuple[Any, ...]:
    matrix = (report["confusion"], report["class_names"])
    return (
        gr.Column(visible=True),
        shown.evaluation_cards(report),
        confusion_figure(*matrix, bool(as_shares)),
        shown.evaluation_table(report),
        shown.mistakes_gallery(report, faces),
        matrix,
    )
