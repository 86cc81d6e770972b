"""The training form on the page: what its buttons hand on of the widgets, data and policy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest

from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.training.job import start_run
from fer_core.ui.build import build_app
from fer_core.ui.experiments.run_views import find_run
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, HANDED_OVER
from fer_core.ui.train import train_tab
from fer_core.ui.train.run_form import FROM_AUGMENT_TAB, FROM_RECIPE, form_fields, form_values

DATA = {**DEFAULT_DATA_CHOICE, "source": "drawn:70", "split": "stratified", "test_share": 0.3}
TURNED = AugmentPolicy(rotation_degrees=12)
HANDED = {**TURNED.to_dict(), HANDED_OVER: 1.0}
OF_A_SYSTEM = next(name for name, recipe in RECIPES.items() if recipe.system)


@pytest.fixture
def page(settings: AppSettings, monkeypatch: pytest.MonkeyPatch) -> gr.Blocks:
    """A page whose runs are queued without a process being started."""

    def queue(config: RunConfig, folder: Any, name: Any = None) -> Any:
        return start_run(config, folder, name, launch=lambda *asked: None)

    monkeypatch.setattr(train_tab, "start_run", queue)
    return build_app(settings)


def event_of(page: gr.Blocks, name: str) -> Any:
    return next(
        event
        for event in page.fns.values()
        if event.name == name and "build_train_tab" in str(event.fn)
    )


@pytest.fixture
def press(page: gr.Blocks) -> Callable[..., Any]:
    """`press("on_start", "name", recipe, augmentation, own split, data, policy, epochs=3)`."""

    def call(name: str, *first: Any, **fields: Any) -> Any:
        event = event_of(page, name)
        places = {block.elem_id: place for place, block in enumerate(event.inputs)}
        values = [block.value for block in event.inputs]
        values[: len(first)] = first
        for field, value in fields.items():
            values[places[f"field-{field}"]] = value
        return event.fn(*values)

    return call


def test_start_queues_what_stands_in_the_form(
    settings: AppSettings, press: Callable[..., Any]
) -> None:
    shown, said = press(
        "on_start", "mine", "quick", FROM_AUGMENT_TAB, False, DATA, HANDED, epochs=3
    )
    assert shown == "mine"
    assert "**mine** was put in the queue" in said
    made = RunConfig.from_json(find_run(settings.runs_folder, "mine").config.read_text())
    assert made.augment == TURNED
    assert (made.data, made.split, made.test_share) == ("drawn:70", "stratified", 0.3)
    assert made == dataclasses.replace(
        RECIPES["quick"].config,
        augment=TURNED,
        epochs=3,
        **{name: value for name, value in DATA.items() if name != "source"},
        data="drawn:70",
    )
    shown, said = press("on_start", "mine", "quick", FROM_RECIPE, False, DATA, None)
    assert shown == gr.skip()
    assert "there already" in said


def test_start_takes_the_recipes_split_where_that_is_ticked(
    settings: AppSettings, press: Callable[..., Any]
) -> None:
    press("on_start", "mine", OF_A_SYSTEM, "none", True, DATA, HANDED)
    made = RunConfig.from_json(find_run(settings.runs_folder, "mine").config.read_text())
    wanted = RECIPES[OF_A_SYSTEM].config
    assert (made.split, made.split_seed) == (wanted.split, wanted.split_seed)
    assert (made.data, made.augment) == ("drawn:70", POLICIES["none"])


def test_a_recipe_fills_every_field_with_its_own(
    page: gr.Blocks, press: Callable[..., Any]
) -> None:
    values = press("on_recipe", OF_A_SYSTEM, DATA, HANDED)
    outputs = event_of(page, "on_recipe").outputs
    recipe = RECIPES[OF_A_SYSTEM]
    assert values[:3] == (recipe.description, FROM_RECIPE, True)
    filled = {
        block.elem_id.removeprefix("field-").replace("-", "_"): value
        for block, value in zip(outputs, values, strict=True)
        if (block.elem_id or "").startswith("field-")
    }
    assert filled == form_values(recipe.config)


def test_a_batch_is_shown_of_the_chosen_set(press: Callable[..., Any]) -> None:
    shown = press("on_batch", "quick", FROM_RECIPE, False, DATA, None)
    assert "<img" in shown
    gone = {**DATA, "source": "/nowhere/faces.zip"}
    assert "No batch can be shown" in press("on_batch", "quick", FROM_RECIPE, False, gone, None)


def test_every_field_stands_on_the_page_once(page: gr.Blocks) -> None:
    ids = [str(block.elem_id) for block in page.blocks.values() if hasattr(block, "elem_id")]
    fields = sorted(one for one in ids if one.startswith("field-"))
    wanted = [f"field-{field.name.replace('_', '-')}" for field in form_fields(("one",))]
    assert fields == sorted(wanted)


def test_the_note_that_a_recipe_wants_another_set_stands_at_the_data_line(
    settings: AppSettings,
) -> None:
    name = next(name for name, one in RECIPES.items() if one.config.data == "drawn:six")
    values = form_values(RECIPES[name].config)
    line = train_tab.form_preview(settings, name, FROM_RECIPE, DATA, None, values)[2]
    assert "Made for the set" in line
