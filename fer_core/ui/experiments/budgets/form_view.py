"""The widgets of the form that starts a comparison under one budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fer_core.comparison.budgets.equal_budget import MOST_CONTENDERS
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import RunError
from fer_core.ui.experiments.budgets.form import (
    AS_RECIPE,
    AUGMENTATIONS,
    BUDGETS,
    STARTING,
    form_preview,
    start_from_budget_form,
    suggested_name,
)
from fer_core.ui.experiments.budgets.results import stored_names
from fer_core.ui.shared.edits import on_edit
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState
from fer_core.ui.train.live_run import CLOSED
from fer_core.ui.train.train_tab import data_text

#: Recipe and augmentation of the contenders in the form as it opens.
_FIRST = (
    ("quick", AS_RECIPE),
    ("quick", "none"),
    ("quick", "standard"),
    ("quick", "strong"),
    ("expressnet", AS_RECIPE),
    ("competition_baseline", AS_RECIPE),
)
_SHOWN_FIRST = 2
#: What every quiet event of this page is called with.
QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "concurrency_limit": 8,
}


@dataclass(frozen=True)
class BudgetForm:
    """The widgets of the form; `fields` in the order of `read_budget_form`, lines flattened.

    message says what is wrong with the form as it stands; started is a place of its own, because
    a start gives the form its next name, upon which it is looked at again.
    """

    name: gr.Textbox
    kind: gr.Radio
    fields: list[Any]
    start: gr.Button
    message: gr.Markdown
    started: gr.Markdown
    preview: gr.HTML
    command: gr.Textbox


def build_budget_form(settings: AppSettings, shared: SharedState) -> BudgetForm:
    with gr.Row():
        kind = gr.Radio(
            [(words, name) for name, (words, _, _) in BUDGETS.items()],
            value="epochs",
            label="What all get",
            min_width=260,
            elem_id="budget-kind",
        )
        _, first, label = BUDGETS["epochs"]
        amount = gr.Number(first, label=label, precision=0, min_width=120, elem_id="budget-amount")
        seed = gr.Number(0, label="Seed", precision=0, min_width=90, elem_id="budget-seed")
        share = gr.Number(100, label="Training images, %", min_width=120, elem_id="budget-share")
    rows, lines = [], []
    for place in range(MOST_CONTENDERS):
        recipe_name, policy = _FIRST[place]
        with gr.Row(visible=place < _SHOWN_FIRST, elem_id=f"contender-{place + 1}") as row:
            recipe = gr.Dropdown(
                [(item.title, name) for name, item in RECIPES.items()],
                value=recipe_name,
                label=f"Contender {place + 1}",
                min_width=160,
                elem_id=f"contender-{place + 1}-recipe",
            )
            augmentation = gr.Dropdown(
                list(AUGMENTATIONS),
                value=policy,
                label="Augmentation",
                min_width=160,
                elem_id=f"contender-{place + 1}-augment",
            )
            changes = gr.Textbox(
                label="Other changes, field=value",
                placeholder="such as batch_size=32",
                max_length=2000,
                min_width=200,
                elem_id=f"contender-{place + 1}-changes",
            )
        rows.append(row)
        lines.append((recipe, augmentation, changes))
    shown = gr.State(_SHOWN_FIRST)
    with gr.Row():
        more = gr.Button("Add a contender", size="sm", elem_id="contender-more")
        fewer = gr.Button(
            "Take the last one out", size="sm", interactive=False, elem_id="contender-fewer"
        )
    data_line = gr.Markdown(data_text({}), elem_id="budget-data")
    name = gr.Textbox(
        label="Name of the comparison",
        value=suggested_name("epochs", stored_names(settings.runs_folder)),
        max_length=30,
        elem_id="budget-name",
    )
    start = gr.Button(
        "Start the comparison",
        variant="primary",
        interactive=not settings.public,
        elem_id="budget-start",
    )
    message = gr.Markdown(
        CLOSED if settings.public else "", elem_id="budget-message", elem_classes="when-said"
    )
    started = gr.Markdown(elem_id="budget-started", elem_classes="when-said")
    preview = gr.HTML(js_on_load=None, elem_id="budget-preview")
    command = gr.Textbox(
        label="The command that does the same",
        lines=2,
        interactive=False,
        buttons=["copy"],
        elem_classes="mono",
        elem_id="budget-command",
    )
    flat = [widget for line in lines for widget in line]
    fields = [name, kind, amount, shared.data_choice, seed, share, shown, *flat]
    outputs = [message, preview, command, data_line]

    def on_form(*values: Any) -> tuple[str, ...]:
        return (*form_preview(settings, *form_values(values)), data_text(values[3] or {}))

    def on_kind(chosen: str) -> tuple[Any, Any]:
        _, usual, words = BUDGETS[chosen]
        free = suggested_name(chosen, stored_names(settings.runs_folder))
        return gr.update(value=usual, label=words), free

    def on_count(count: int, step: int) -> tuple[Any, ...]:
        count = max(2, min(MOST_CONTENDERS, count + step))
        return (
            count,
            gr.update(interactive=count < MOST_CONTENDERS),
            gr.update(interactive=count > 2),
            *(gr.update(visible=place < count) for place in range(MOST_CONTENDERS)),
        )

    kind.input(on_kind, kind, [amount, name], trigger_mode="always_last", **QUIET).then(
        on_form, fields, outputs, **QUIET
    )
    on_edit((name, amount, seed, share, *flat), on_form, fields, outputs, **QUIET)
    for button, step in ((more, 1), (fewer, -1)):
        button.click(
            lambda count, step=step: on_count(count, step),
            shown,
            [shown, more, fewer, *rows],
            **QUIET,
        ).then(on_form, fields, outputs, **QUIET)
    shared.data_choice.change(on_form, fields, outputs, **QUIET)
    shared.page.load(on_form, fields, outputs, **QUIET)
    return BudgetForm(name, kind, fields, start, message, started, preview, command)


def form_values(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The form's flat widget values as the arguments of `read_budget_form`."""
    name, kind, amount, data, seed, share, shown, *flat = values
    lines = [tuple(flat[place : place + 3]) for place in range(0, 3 * int(shown or 0), 3)]
    return name, kind, amount, lines, data, seed, share


def start_updates(settings: AppSettings, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """What a start shows while it works and at its end: the chosen comparison, the message, what
    was started, the form's next name, preview and command, and the button."""
    name, kind, *rest = form_values(values)
    same = (gr.skip(), gr.skip(), gr.skip())
    yield gr.skip(), "", STARTING.get(kind, ""), *same, gr.Button(interactive=False)
    ready = gr.Button(interactive=not settings.public)
    try:
        plan = start_from_budget_form(settings, name, kind, *rest)
    except (RunError, ValueError, OSError) as error:
        refusal = f"⚠️ **This cannot start:** {plain(error)}"
        yield gr.skip(), refusal, "", *same, ready
        return
    said = f"**{plain(plan.name)}** is in the queue: its contenders train one after another."
    following = suggested_name(plan.kind, stored_names(settings.runs_folder))
    _, preview, command = form_preview(settings, following, kind, *rest)
    yield plan.name, "", said, following, preview, command, ready
