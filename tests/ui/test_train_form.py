"""The form of the Train tab: what it asks, and the configuration that its answers make."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fer_core.data.policies import POLICIES
from fer_core.models import MODELS
from fer_core.runs.config import FIELDS, ConfigError, RunConfig
from fer_core.runs.limits import CHOICES
from fer_core.runs.recipes import RECIPES
from fer_core.ui.shared.form_words import GROUPS, LABELS
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, HANDED_OVER
from fer_core.ui.train import run_form, train_tab

QUICK = RECIPES["quick"].config


STRATIFIED = {
    "source": "faces.zip",
    "split": "stratified",
    "validation_share": 0.15,
    "test_share": 0.3,
    "split_seed": 7,
}


def test_every_field_of_a_run_has_a_place_label_and_explanation() -> None:
    placed = [name for names in GROUPS.values() for name in names]
    elsewhere = {"recipe", "augment", "data", "split", "validation_share", "test_share"}
    assert sorted(placed) == sorted(set(FIELDS) - elsewhere - {"split_seed"})
    for field in run_form.form_fields(tuple(MODELS)):
        assert LABELS[field.name] == (field.label, LABELS[field.name][1])
        assert field.info


def test_basic_fields_come_first_and_choices_are_those_of_the_config() -> None:
    fields = run_form.form_fields(("one", "two"))
    assert [field.name for field in fields[:4]] == [
        "model",
        "epochs",
        "batch_size",
        "learning_rate",
    ]
    assert [value for _, value in fields[0].choices] == ["one", "two"]
    optimizer = next(field for field in fields if field.name == "optimizer")
    assert [value for _, value in optimizer.choices] == list(CHOICES["optimizer"])


@pytest.mark.parametrize("name", list(RECIPES))
def test_an_untouched_form_makes_the_recipe(name: str) -> None:
    recipe = RECIPES[name]
    config = dataclasses.replace(recipe.config, data=DEFAULT_DATA_CHOICE["source"])
    data = train_tab.chosen_data(DEFAULT_DATA_CHOICE, bool(recipe.system))
    values = run_form.form_values(recipe.config)
    made = run_form.config_from_form(values, recipe.config, data, config.augment)
    assert made == config
    assert run_form.changes(made, config) == []
    begun = dataclasses.replace(config, start_from="runs/one")
    assert run_form.changes(begun, config) == [
        f"Start from a checkpoint: {config.start_from or 'none'} → runs/one"
    ]


def test_changed_options_are_said_as_they_are_typed() -> None:
    base = RunConfig(model="timm/resnet18")
    made = dataclasses.replace(base, model_options={"pretrained": False})
    assert run_form.changes(made, base) == ["Model options: none → pretrained=no"]


def test_lists_of_numbers_and_of_tables_are_said_too() -> None:
    base = RunConfig(model="expressnet")
    widths = dataclasses.replace(base, model_options={"widths": [16, 32]})
    assert run_form.changes(widths, base) == ["Model options: none → widths=16, 32"]
    phased = dataclasses.replace(base, phases=({"epochs": 20, "learning_rate": 0.01},))
    (said,) = run_form.changes(phased, base)
    assert said.endswith('none → {"epochs": 20, "learning_rate": 0.01}')


def test_form_survives_lists_tables_and_yes_no(colour_config: RunConfig) -> None:
    config = dataclasses.replace(
        colour_config,
        classes_left_out=("disgust", "fear"),
        class_weights=True,
        model_options={"dropout": 0.2, "widths": [8, 16, 32]},
    )
    values = run_form.form_values(config)
    assert values["classes_left_out"] == "disgust, fear"
    made = run_form.config_from_form(values, config, {}, config.augment)
    assert made == config


def test_a_number_is_asked_for_with_its_bounds() -> None:
    fields = {field.name: field for field in run_form.form_fields(tuple(MODELS))}
    assert fields["label_smoothing"].info.endswith("turns it off. 0 to 0.5.")
    assert fields["seed"].info == LABELS["seed"][1]
    kinds = {name: fields[name].kind for name in ("epochs", "ema_decay", "teachers", "phases")}
    assert kinds == {
        "epochs": "number",
        "ema_decay": "number",
        "teachers": "text",
        "phases": "lines",
    }


def test_an_empty_line_is_no_setting() -> None:
    values = run_form.form_values(QUICK) | {"class_map": "\nsad=neutral\n  \n"}
    made = run_form.config_from_form(values, QUICK, DEFAULT_DATA_CHOICE, QUICK.augment)
    assert made.class_map == {"sad": "neutral"}


def test_data_and_split_come_from_the_data_tab() -> None:
    values = run_form.form_values(QUICK)
    config = run_form.config_from_form(values, QUICK, STRATIFIED, QUICK.augment)
    assert (config.data, config.split, config.split_seed) == ("faces.zip", "stratified", 7)
    assert (config.validation_share, config.test_share) == (0.15, 0.3)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("epochs", 0, "Epochs must be 1 to 10000, got 0"),
        ("epochs", None, "Epochs must be a number, got nothing"),
        ("batch_size", 2.5, "Batch size must be a whole number"),
        ("optimizer", "magic", "Optimiser must be one of"),
    ],
)
def test_a_bad_value_is_refused_in_the_words_of_the_form(
    field: str, value: Any, words: str
) -> None:
    values = {**run_form.form_values(QUICK), field: value}
    with pytest.raises(ConfigError, match=words):
        run_form.config_from_form(values, QUICK, DEFAULT_DATA_CHOICE, QUICK.augment)


def test_a_broken_model_option_is_refused() -> None:
    values = {**run_form.form_values(QUICK), "model_options": "dropout 0.2"}
    with pytest.raises(ConfigError, match="field=value"):
        run_form.config_from_form(values, QUICK, DEFAULT_DATA_CHOICE, QUICK.augment)


def test_augmentation_comes_from_recipe_ready_policy_or_augment_tab() -> None:
    own = {**POLICIES["none"].to_dict(), "rotation_degrees": 33.0}
    assert run_form.chosen_policy("recipe", QUICK, own) == QUICK.augment
    assert run_form.chosen_policy("strong", QUICK, own) == POLICIES["strong"]
    assert run_form.chosen_policy("augment tab", QUICK, own).rotation_degrees == 33
    with pytest.raises(ConfigError, match="Augment tab"):
        run_form.chosen_policy("augment tab", QUICK, {"rotation_degrees": 999.0})
    with pytest.raises(ConfigError, match="one of"):
        run_form.chosen_policy("no such policy", QUICK, own)


def test_the_stamp_of_a_policy_that_was_handed_over_is_no_strength() -> None:
    own = {**POLICIES["none"].to_dict(), "rotation_degrees": 33.0, HANDED_OVER: 1.5}
    values = run_form.form_values(QUICK)
    config = train_tab.read_form("quick", "augment tab", DEFAULT_DATA_CHOICE, own, values)
    assert config.augment.to_dict() == {**POLICIES["none"].to_dict(), "rotation_degrees": 33.0}


def test_policy_is_said_in_words() -> None:
    assert run_form.describe_policy(POLICIES["none"]) == "images are used as they are"
    words = run_form.describe_policy(POLICIES["strong"])
    for part in ("mirrored 50 %", "rotation ±20°", "noise up to 6 %", "blur up to 0.8 px"):
        assert part in words


def test_data_is_said_in_words_without_its_folder() -> None:
    words = run_form.describe_data({**STRATIFIED, "source": "/home/someone/faces.zip"})
    assert words.startswith("faces.zip, stratified split: 30 % to test")
    assert "seed 7" in words
    assert "drawn faces (built in)" in run_form.describe_data(DEFAULT_DATA_CHOICE)


def test_texts_that_are_nested_too_deeply_are_refused_in_words() -> None:
    deep = "[" * 1999
    values = {**run_form.form_values(QUICK), "phases": deep}
    with pytest.raises(ConfigError, match="Phases: each line must be a JSON table"):
        run_form.config_from_form(values, QUICK, {}, QUICK.augment)
    with pytest.raises(ConfigError, match="epochs must be a number"):
        QUICK.with_settings([f"epochs={deep}"])


def test_phases_are_one_table_per_line_and_refused_in_words() -> None:
    recipe = RECIPES["two_phase"].config
    values = run_form.form_values(recipe)
    assert len(values["phases"].splitlines()) == 2
    values["phases"] = "epochs: 20"
    with pytest.raises(ConfigError, match="each line must be a JSON table"):
        run_form.config_from_form(values, recipe, {}, recipe.augment)


def test_the_split_is_the_recipes_or_the_data_tabs() -> None:
    values = run_form.form_values(RECIPES["mlp"].config)
    for own, seed in ((True, 111), (False, 7)):
        data = train_tab.chosen_data(STRATIFIED, own)
        config = train_tab.read_form("mlp", "recipe", data, None, values)
        assert (config.data, config.split_seed) == ("faces.zip", seed)
