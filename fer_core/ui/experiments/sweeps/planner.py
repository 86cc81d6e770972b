"""The form that plans a sweep or an ablation: its widgets, and the plan shown before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from fer_core.comparison.sweeps.ablation import PLANS
from fer_core.runs.config import ConfigError
from fer_core.runs.recipes import RECIPES, find_recipe
from fer_core.runs.record import RunError
from fer_core.training.sweep_queue import check_free
from fer_core.ui.experiments.sweeps import form
from fer_core.ui.shared.edits import on_edit
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, SharedState
from fer_core.ui.train.live_run import CLOSED
from fer_core.ui.train.train_tab import chosen_data, data_text, problem, recipe_split

_FIRST_RECIPE = "quick"
_FIRST_ROWS = (("learning_rate", "1e-3, 6e-3"), ("augment.flip_probability", "0, 0.5"))
_VALUES_INFO = (
    "Values with commas between, yes and no for switches. With | between them a value may hold "
    "commas itself."
)
_QUIET = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}


@dataclass(frozen=True)
class Planner:
    """name, start, message, started: for the event that queues the plan. inputs: as `read_inputs`
    takes them.

    message says what is wrong with the form as it stands; started is a place of its own, because
    the event empties the name, upon which the form is looked at again.
    """

    name: gr.Textbox
    start: gr.Button
    message: gr.Markdown
    started: gr.Markdown
    inputs: list[Any]


def build_planner(settings: AppSettings, shared: SharedState) -> Planner:
    """The form with its preview; nothing starts here, `Planner.start` is for the caller."""
    first = find_recipe(_FIRST_RECIPE).config
    gr.Markdown("## Plan a sweep")
    kind = gr.Radio(
        list(form.KINDS), value=form.GRID, label="What to compare", elem_id="sweep-kind"
    )
    recipe = gr.Dropdown(
        [(item.title, name) for name, item in RECIPES.items()],
        value=_FIRST_RECIPE,
        label="Recipe",
        info="What is not varied stays as this recipe has it.",
        elem_id="sweep-recipe",
    )
    data_line = gr.Markdown(data_text(dict(DEFAULT_DATA_CHOICE)), elem_id="sweep-data")
    own_split = gr.Checkbox(
        bool(find_recipe(_FIRST_RECIPE).system),
        label="Split as the recipe has it",
        info="Otherwise as set in the Data tab. Recipes of published systems bring theirs.",
        elem_id="sweep-own-split",
    )
    fields: list[gr.Dropdown] = []
    values: list[gr.Textbox] = []
    rows: list[gr.Row] = []
    with gr.Column() as grid:
        for place in range(form.MOST_FIELDS):
            given = _FIRST_ROWS[place] if place < len(_FIRST_ROWS) else (None, "")
            with gr.Row(visible=place < len(_FIRST_ROWS)) as row:
                # Custom values: model_options of a network may go by any name.
                fields.append(
                    gr.Dropdown(
                        form.field_choices(),
                        value=given[0],
                        label="Setting",
                        allow_custom_value=True,
                        min_width=210,
                        elem_id=f"sweep-field-{place + 1}",
                    )
                )
                values.append(
                    gr.Textbox(
                        given[1],
                        label="Its values",
                        min_width=150,
                        elem_id=f"sweep-values-{place + 1}",
                    )
                )
            rows.append(row)
        with gr.Row():
            more = gr.Button("Vary one more setting", size="sm", elem_id="sweep-more")
            fewer = gr.Button("One less", size="sm", elem_id="sweep-fewer")
        gr.HTML(f"<p class='note'>{_VALUES_INFO}</p>")
    with gr.Column(visible=False) as ablation:
        methods = gr.CheckboxGroup(
            form.method_choices(first),
            value=form.methods_on(first),
            label="Methods",
            info="Those marked are on in the recipe. Others are turned on as it says beside them.",
            elem_id="sweep-methods",
        )
        plans = gr.CheckboxGroup(
            [(words, name) for name, (words, _) in PLANS.items()],
            value=["leave_one_out"],
            label="Runs",
            elem_id="sweep-plans",
        )
    with gr.Row():
        # Not left empty for "as the recipe": Gradio shows an empty number as 0.
        epochs = gr.Number(
            first.epochs, label="Epochs", info="Of each run.", min_width=110, elem_id="sweep-epochs"
        )
        seeds = gr.Number(
            1,
            label="Seeds",
            info="Several give mean ± deviation.",
            min_width=110,
            elem_id="sweep-seeds",
        )
    common = gr.Textbox(
        "",
        label="Other changes for all runs",
        info="One setting=value per line.",
        placeholder="train_share=0.2\nbatch_size=64",
        lines=2,
        elem_id="sweep-common",
    )
    name = gr.Textbox(
        label="Name of the sweep",
        placeholder="left empty: date and time",
        max_length=30,
        elem_id="sweep-name",
    )
    start = gr.Button(
        "Put it in the queue",
        variant="primary",
        interactive=not settings.public,
        elem_id="sweep-start",
    )
    message = gr.Markdown(
        CLOSED if settings.public else "", elem_id="sweep-message", elem_classes="when-said"
    )
    started = gr.Markdown(elem_id="sweep-started", elem_classes="when-said")
    # below the button, which would jump with every value that is half typed
    preview = gr.HTML(elem_id="sweep-preview", js_on_load=None)

    inputs = [
        *(shared.data_choice, own_split, kind, recipe, methods, plans, epochs, common, seeds, name),
        *fields,
        *values,
    ]
    shown = gr.State(len(_FIRST_ROWS))

    def on_form(*given: Any) -> tuple[str, str, str]:
        return form_preview(settings, *given)

    def on_recipe(recipe_name: str) -> tuple[Any, int, bool]:
        chosen = find_recipe(recipe_name)
        base = chosen.config
        update = gr.update(choices=form.method_choices(base), value=form.methods_on(base))
        return update, base.epochs, bool(chosen.system)

    def on_kind(chosen: str) -> tuple[Any, ...]:
        return gr.update(visible=chosen != form.ABLATION), gr.update(
            visible=chosen == form.ABLATION
        )

    def on_rows(count: int, step: int) -> tuple[Any, ...]:
        count = min(max(1, count + step), form.MOST_FIELDS)
        emptied = [gr.skip() if place < count else None for place in range(form.MOST_FIELDS)]
        return (
            count,
            *(gr.update(visible=place < count) for place in range(form.MOST_FIELDS)),
            *emptied,
        )

    outputs = [preview, message, data_line]
    wiring = {"fn": on_form, "inputs": inputs, "outputs": outputs, **_QUIET}
    on_edit(
        [widget for widget in (own_split, *inputs[4:]) if widget not in fields],
        on_form,
        inputs,
        outputs,
        **_QUIET,
    )
    for field, box in zip(fields, values, strict=True):
        field.input(form.suggested_values, field, box, trigger_mode="always_last", **_QUIET).then(
            **wiring
        )
    for button, step in ((more, 1), (fewer, -1)):
        button.click(
            lambda count, step=step: on_rows(count, step), shown, [shown, *rows, *fields], **_QUIET
        ).then(**wiring)
    kind.input(on_kind, kind, [grid, ablation], trigger_mode="always_last", **_QUIET).then(**wiring)
    recipe.input(
        on_recipe, recipe, [methods, epochs, own_split], trigger_mode="always_last", **_QUIET
    ).then(**wiring)
    shared.data_choice.change(**wiring)
    shared.page.load(**wiring)
    return Planner(name, start, message, started, inputs)


def read_inputs(
    data: Any,
    own_split: bool,
    kind: str,
    recipe: str,
    methods: list[str] | None,
    plans: list[str] | None,
    epochs: float | None,
    common: str | None,
    seeds: float | None,
    name: str | None,
    *rows: Any,
) -> tuple[form.SweepForm, dict[str, Any]]:
    """The widgets' values, in the order of the inputs, as a form and a data choice."""
    fields, values = rows[: form.MOST_FIELDS], rows[form.MOST_FIELDS :]
    filled = form.SweepForm(
        kind=kind,
        recipe=recipe,
        rows=tuple(zip(fields, values, strict=True)),
        methods=tuple(methods or ()),
        plans=tuple(plans or ()),
        epochs=epochs,
        common=common or "",
        seeds=seeds,
        name=name or "",
    )
    return filled, chosen_data(data, bool(own_split))


def form_preview(settings: AppSettings, data: Any, *values: Any) -> tuple[str, str, str]:
    """(the plan, message, data line) for the form as it stands."""
    filled, choice = read_inputs(data, *values)
    line = data_text({**DEFAULT_DATA_CHOICE, **recipe_split(filled.recipe), **choice})
    if settings.public:
        return "", CLOSED, line
    try:
        sweep = form.plan_from_form(filled, choice)
        check_free(sweep, settings.runs_folder)
        return form.plan_html(sweep), "", line
    except (ConfigError, RunError) as error:
        return "", problem(error), line
