"""The Train tab: a recipe fills the form, the form starts a run, the live panel watches runs."""

from __future__ import annotations

import html
from dataclasses import replace
from itertools import groupby
from typing import Any

import gradio as gr

from fer_core.models import MODELS
from fer_core.paths import RunFolder
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipes import RECIPES, find_recipe, repeat_command
from fer_core.runs.record import RunError
from fer_core.training.job import start_run
from fer_core.ui.shared.edits import on_edit
from fer_core.ui.shared.model_list import every_model, options_info
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, HANDED_OVER, SharedState
from fer_core.ui.train.batch_preview import build_batch_preview, nothing_yet, show_batch
from fer_core.ui.train.live_panel import build_live_panel
from fer_core.ui.train.live_run import CLOSED
from fer_core.ui.train.run_form import (
    AUGMENTATIONS,
    BASIC,
    DATA_FIELDS,
    FROM_AUGMENT_TAB,
    FROM_RECIPE,
    FormField,
    changes,
    chosen_policy,
    config_from_form,
    describe_data,
    describe_policy,
    form_fields,
    form_values,
    source_name,
)
from fer_core.ui.train.start_checks import what_is_missing

_FIRST_RECIPE = "quick"
_FIELDS = form_fields(tuple(MODELS))


def build_train_tab(settings: AppSettings, shared: SharedState) -> None:
    first = find_recipe(_FIRST_RECIPE)
    first_values = form_values(first.config)
    first_data = dict(DEFAULT_DATA_CHOICE)
    widgets: dict[str, gr.components.Component] = {}
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            gr.Markdown("## Start a run")
            recipe = gr.Dropdown(
                [(item.title, name) for name, item in RECIPES.items()],
                value=first.name,
                label="Recipe",
                info="Ready settings; choosing one fills the form.",
                elem_id="recipe",
            )
            about = gr.Markdown(first.description, elem_id="recipe-about")
            data_line = gr.Markdown(data_text(first_data), elem_id="train-data")
            own_split = gr.Checkbox(
                bool(first.system),
                label="Split as the recipe has it",
                info="Otherwise as set in the Data tab. Recipes of published systems bring theirs.",
                elem_id="own-split",
            )
            _build_group(BASIC, first_values, widgets)
            augmentation = gr.Dropdown(
                list(AUGMENTATIONS), value=FROM_RECIPE, label="Augmentation", elem_id="augmentation"
            )
            policy_line = gr.HTML(elem_id="policy-line", js_on_load=None)
            run_name = gr.Textbox(
                label="Name of the run",
                placeholder="left empty: recipe, date and time",
                max_length=80,
                elem_id="run-name",
            )
            start = gr.Button(
                "Start training",
                variant="primary",
                interactive=not settings.public,
                elem_id="start-training",
            )
            message = gr.Markdown(CLOSED if settings.public else "", elem_id="start-message")
            command = gr.Textbox(
                repeat_command(first.config),
                label="The command that repeats this run",
                lines=2,
                interactive=False,
                buttons=["copy"],
                elem_classes="mono",
                elem_id="repeat-command",
            )
            batch_button, batch_grid = build_batch_preview()
            with gr.Accordion("All other settings", open=False, elem_id="more-settings"):
                for group, _ in groupby(field.group for field in _FIELDS if field.group != BASIC):
                    gr.Markdown(f"**{group}**")
                    _build_group(group, first_values, widgets)
        with gr.Column(scale=7, min_width=320):
            panel = build_live_panel(settings, shared)

    fields = list(widgets.values())
    form = [recipe, augmentation, own_split, shared.data_choice, shared.policy, *fields]
    preview = [command, message, data_line, policy_line]

    def on_form(
        name: str, choice: str, own: bool, data: Any, policy: Any, *values: Any
    ) -> tuple[str, ...]:
        filled = dict(zip(widgets, values, strict=True))
        return form_preview(settings, name, choice, chosen_data(data, own), policy, filled)

    def on_recipe(name: str, data: Any, policy: Any) -> tuple[Any, ...]:
        chosen = find_recipe(name)
        values = form_values(chosen.config)
        own = bool(chosen.system)
        shown = form_preview(settings, name, FROM_RECIPE, chosen_data(data, own), policy, values)
        filled = (values[field] for field in widgets)
        return (chosen.description, FROM_RECIPE, own, *shown, *filled)

    def on_start(
        name: str, recipe_name: str, choice: str, own: bool, data: Any, policy: Any, *values: Any
    ) -> tuple[Any, str]:
        filled = dict(zip(widgets, values, strict=True))
        try:
            config = read_form(recipe_name, choice, chosen_data(data, own), policy, filled)
            run = start_from_form(settings, config, name)
        except (ConfigError, RunError) as error:
            return gr.skip(), problem(error)
        return (
            run.name,
            f"**{plain(run.name)}** was put in the queue; its curves appear under *Watch*.",
        )

    def on_batch(name: str, choice: str, own: bool, data: Any, policy: Any, *values: Any) -> str:
        filled = dict(zip(widgets, values, strict=True))
        chosen = chosen_data(data, own)
        return show_batch(lambda: read_form(name, choice, chosen, policy, filled), settings)

    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}
    recipe.input(
        on_recipe,
        [recipe, shared.data_choice, shared.policy],
        [about, augmentation, own_split, *preview, *fields],
        trigger_mode="always_last",
        **quiet,
    )
    # Not `change` of all: a recipe that fills twenty fields must not ask twenty times.
    on_edit((augmentation, own_split, *fields), on_form, form, preview, **quiet)
    shared.policy.change(lambda: FROM_AUGMENT_TAB, None, augmentation, **quiet).then(
        on_form, form, preview, **quiet
    )
    shared.data_choice.change(on_form, form, preview, **quiet).then(
        nothing_yet, None, batch_grid, **quiet
    )
    start.click(on_start, [run_name, *form], [panel.chosen, message], api_visibility="private")
    batch_button.click(on_batch, form, batch_grid, api_visibility="private", concurrency_limit=2)
    # `change` here: what the options are follows a recipe's model too, and is asked only once
    widgets["model"].change(
        lambda name: gr.Textbox(info=options_info(name)),
        widgets["model"],
        widgets["model_options"],
        **quiet,
    )
    # timm takes seconds to import, so its names join the list when the page is there already
    shared.page.load(on_form, form, preview, **quiet).then(
        lambda: gr.Dropdown(choices=every_model()),
        None,
        widgets["model"],
        **quiet,
    )
    shared.page.load(panel.load, **panel.wiring)


def _build_group(
    group: str, values: dict[str, Any], widgets: dict[str, gr.components.Component]
) -> None:
    """Two fields side by side, in the order of the form; the model and its options, whose
    explanation is long, have a line each."""
    fields = [field for field in _FIELDS if field.group == group]
    if group == BASIC:
        rows = [fields[:1], fields[1:]]
    else:
        alone = [field for field in fields if field.name == "model_options"]
        others = [field for field in fields if field not in alone]
        rows = [alone] if alone else []
        rows += [others[place : place + 2] for place in range(0, len(others), 2)]
    for row in rows:
        with gr.Row():
            for field in row:
                if field.name == "model_options":
                    field = replace(field, info=options_info(values["model"]))
                widgets[field.name] = _widget(field, values[field.name])


def _widget(field: FormField, value: Any) -> gr.components.Component:
    # Numbers have no minimum here: RunConfig refuses in words what a widget refuses as a toast.
    shared = {
        "label": field.label,
        "info": field.info,
        "min_width": 130,
        "elem_id": f"field-{field.name.replace('_', '-')}",
    }
    if field.kind == "choice":
        return gr.Dropdown(list(field.choices), value=value, **shared)
    if field.kind == "yes_no":
        return gr.Checkbox(value, **shared)
    if field.kind == "number":
        return gr.Number(value, step=field.step, **shared)
    return gr.Textbox(value, lines=2 if field.kind == "lines" else 1, **shared)


def read_form(
    recipe: str, choice: str, data: Any, policy: Any, values: dict[str, Any]
) -> RunConfig:
    """The configuration behind the widgets' values; ConfigError in words when there is none."""
    base = find_recipe(recipe).config
    strengths = {name: value for name, value in (policy or {}).items() if name != HANDED_OVER}
    return config_from_form(values, base, data or {}, chosen_policy(choice, base, strengths))


def recipe_split(recipe: str) -> dict[str, Any]:
    """The split of a recipe under the keys of a data choice."""
    config = find_recipe(recipe).config
    names = {part: name for part, name in DATA_FIELDS.items() if part != "source"}
    return {part: getattr(config, name) for part, name in names.items()}


def chosen_data(data: Any, own_split: bool) -> dict[str, Any]:
    """The data choice, without the Data tab's split where the recipe's own is wanted."""
    choice = dict(data or DEFAULT_DATA_CHOICE)
    return {"source": choice["source"]} if own_split else choice


def other_set_note(wanted: str, data: Any) -> str:
    """A sentence (Markdown) when a recipe is made for a built-in set that is not chosen."""
    chosen = dict(data or DEFAULT_DATA_CHOICE)["source"]
    if not wanted.startswith("drawn:") or wanted == chosen:
        return ""
    return (
        f"\n\n⚠️ **Made for the set *{plain(source_name(wanted))}***; the Data tab has "
        f"*{plain(source_name(chosen))}* open."
    )


def form_preview(
    settings: AppSettings, recipe: str, choice: str, data: Any, policy: Any, values: dict[str, Any]
) -> tuple[str, str, str, str]:
    """(command, message, data line, policy line) for the form as it stands."""
    shown_data = data_text({**DEFAULT_DATA_CHOICE, **recipe_split(recipe), **(data or {})})
    shown_data += other_set_note(find_recipe(recipe).config.data, data)
    try:
        config = read_form(recipe, choice, data, policy, values)
    except ConfigError as error:
        return "", problem(error), shown_data, ""
    different = changes(config, find_recipe(recipe).config)
    note = f"Changed from the recipe: {plain('; '.join(different))}." if different else ""
    if settings.public:  # a visitor's typing shall not find out which files there are
        note = CLOSED
    elif missing := what_is_missing(config):
        note = problem(ConfigError(missing))
    return repeat_command(config), note, shown_data, note_html(describe_policy(config.augment))


def start_from_form(settings: AppSettings, config: RunConfig, name: str | None) -> RunFolder:
    """Queue a run. RunError on a published page, or when the name cannot be used."""
    if settings.public:
        raise RunError(CLOSED)
    if missing := what_is_missing(config):
        raise ConfigError(missing)
    # people write names with blanks; a folder, and the command line, are better off without
    return start_run(config, settings.runs_folder, "-".join((name or "").split()) or None)


def note_html(text: str) -> str:
    return f"<p class='note'>{html.escape(text)}</p>"


def problem(error: Exception) -> str:
    """An error in the place beside the button."""
    return f"⚠️ **This cannot start:** {plain(error)}"


def data_text(choice: dict[str, Any]) -> str:
    return (
        f"**Data:** {plain(describe_data(choice))}. Set it in the **Data** tab; "
        "what a recipe says about time and accuracy holds for the data it names."
    )
