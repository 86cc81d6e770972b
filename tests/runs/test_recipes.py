"""Recipes that made a shipped model say how, whole; and they find their teachers from anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.paths import SHIPPED_CHECKPOINTS, checkpoint_folder
from fer_core.runs.checkpoint import load_checkpoint, read_start
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES, repeat_command

#: Recipe → the shipped model that it made.
MADE = {
    "expressnet": "expressnet",
    "expressnet_nano": "expressnet-nano",
    "expressnet_small": "expressnet-small",
    "expressnet_base": "expressnet-base",
    "expressnet_photo": "expressnet-photo",
}


@pytest.mark.parametrize("name", MADE)
def test_a_recipe_has_the_settings_of_the_model_that_it_made(name: str) -> None:
    made = RunConfig.from_json((SHIPPED_CHECKPOINTS / MADE[name] / "config.json").read_text())
    recipe = RECIPES[name].config
    changes = {"recipe": name, "data": "drawn"}
    if made.max_seconds:  # on a GPU, until the clock ended it; its teachers are too large to ship
        assert made.teachers == ("runs/teacher-a", "runs/teacher-b")
        assert recipe.teachers == ("checkpoints/expressnet-base",)
        same = ("epochs", "max_seconds", "compiled", "teachers")
        changes |= {field: getattr(recipe, field) for field in same}
    assert replace(made, **changes) == recipe


def test_the_command_of_a_recipe_is_its_name() -> None:
    config = RECIPES["expressnet_nano"].config
    assert repeat_command(replace(config, data="faces.csv")) == (
        "python -m fer_core train --recipe expressnet_nano --data faces.csv"
    )


@pytest.mark.parametrize("name", RECIPES)
def test_teachers_and_starts_of_recipes_are_shipped(name: str) -> None:
    config = RECIPES[name].config
    for folder in (*config.teachers, *([config.start_from] if config.start_from else [])):
        assert checkpoint_folder(folder).parent.name == "checkpoints"
        assert (SHIPPED_CHECKPOINTS / Path(folder).name / "weights.safetensors").is_file()


def test_shipped_checkpoints_are_found_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "checkpoints/expressnet-nano"
    assert load_checkpoint(Path(name)).folder == SHIPPED_CHECKPOINTS / "expressnet-nano"
    assert read_start(name)["model"] == "expressnet_nano"
    (tmp_path / name).mkdir(parents=True)  # one's own comes first
    assert checkpoint_folder(name) == Path(name)
    assert checkpoint_folder("checkpoints/none") == Path("checkpoints/none")
    assert checkpoint_folder("checkpoints/..") == Path("checkpoints/..")
    assert checkpoint_folder("checkpoints/../tests") == Path("checkpoints/../tests")
