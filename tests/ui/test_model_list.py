"""The model list of the training form: titles, timm's names, options of the chosen network."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fer_core.models import MODELS
from fer_core.ui.shared import model_list
from fer_core.ui.train import run_form


def test_own_networks_have_a_title_and_their_system() -> None:
    choices = {name: label for label, name in model_list.model_choices(MODELS)}
    assert list(choices) == list(MODELS)
    assert choices["mlp"] == "mlp – multilayer perceptron (system D)"
    assert "system" not in choices["expressnet"]


def test_the_whole_list_has_timms_names_behind_the_own_ones() -> None:
    choices = model_list.every_model()
    assert [name for _, name in choices[: len(MODELS)]] == list(MODELS)
    assert ("timm/efficientnet_b0", "timm/efficientnet_b0") in choices
    assert len({name for _, name in choices}) == len(choices) > 1000


def test_options_are_explained_for_the_chosen_network() -> None:
    text = model_list.options_info("class_targeted")
    assert text.startswith("One option=value per line")
    assert "output=tanh" in text
    assert "hidden=70" in text
    assert "resize=0" in model_list.options_info("timm/resnet18")
    assert "has no options" in model_list.options_info("competition_baseline")


@pytest.mark.parametrize("bad", [None, 7, "", "nothing", ["mlp"]])
def test_no_model_has_the_plain_explanation(bad: Any) -> None:
    text = model_list.options_info(bad)
    assert "takes:" not in text
    assert text.endswith("own.")


def test_the_form_starts_with_the_own_networks() -> None:
    fields = run_form.form_fields(tuple(MODELS))
    assert fields[0].name == "model"
    assert fields[0].choices == model_list.model_choices(MODELS)


def test_the_page_does_not_wait_for_timm() -> None:
    code = "import sys, fer_core.ui.train.train_tab; print('timm' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "False", done.stderr
