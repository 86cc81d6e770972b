"""The form of an equal-budget comparison: the plan that it makes, and what it refuses."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest
from budget_forms import form, updates

from fer_core.cli.parser import _parser
from fer_core.comparison.budgets.equal_budget import (
    BudgetError,
    Common,
    parse_contender,
    read_plan,
)
from fer_core.comparison.budgets.runs import start_budget
from fer_core.ui.experiments import run_views
from fer_core.ui.experiments.budgets import form as budget_form
from fer_core.ui.experiments.budgets import results as budget_results
from fer_core.ui.experiments.budgets.form import (
    AS_RECIPE,
    budget_command,
    form_preview,
    read_budget_form,
    start_from_budget_form,
    suggested_name,
)
from fer_core.ui.experiments.budgets.form_view import form_values, start_updates
from fer_core.ui.experiments.budgets.words import budget_words
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what a test makes is compared, whatever checkpoints the project ships."""
    for module in (run_views, budget_results):
        monkeypatch.setattr(module, "SHIPPED_CHECKPOINTS", tmp_path / "shipped")


def test_the_form_makes_a_plan() -> None:
    plan = read_budget_form(*form(data={**DEFAULT_DATA_CHOICE, "source": "faces.csv"}))
    assert (plan.name, plan.kind, plan.amount) == ("race", "epochs", 2)
    assert plan.contenders == (
        parse_contender("quick"),
        parse_contender("quick augment=none batch_size=32"),
    )
    assert plan.common == Common(data="faces.csv", seed=1, train_share=0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "  "}, "needs a name"),
        ({"amount": None}, "Epochs of each must be a number, got nothing"),
        ({"seed": "x"}, "Seed must be a number"),
        ({"share": 0}, "train_share must be"),
        ({"kind": "hours"}, "choose what is the same"),
        ({"lines": [("quick", "none", ""), ("quick", "wild", "")]}, "augmentation must be one of"),
        ({"lines": [("quick", "none", ""), (None, "none", "")]}, "unknown recipe"),
        ({"lines": [("quick", "none", ""), ("quick", "none", "x=" + "9" * 3000)]}, "at most 2,000"),
        ({"lines": [("quick", "none", ""), ("quick", "none", "")]}, "same as an earlier one"),
        ({"data": {"source": ""}}, "data must name a data set"),
    ],
)
def test_a_form_that_cannot_start_says_why(
    settings: AppSettings, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BudgetError, match=message):
        read_budget_form(*form(**changes))
    said, table, command = form_preview(settings, *form(**changes))
    assert said.startswith("⚠️ **This cannot start:**")
    assert (table, command) == ("", "")


def test_hidden_lines_of_the_form_do_not_count() -> None:
    flat = ["quick", AS_RECIPE, "", "quick", "none", "", "svm_rbf", AS_RECIPE, ""]
    values = form_values(("race", "epochs", 2, DEFAULT_DATA_CHOICE, 1, 50, 2, *flat))
    assert len(read_budget_form(*values).contenders) == 2


def test_the_preview_names_the_runs_and_its_command_makes_the_same_plan(
    settings: AppSettings,
) -> None:
    said, table, command = form_preview(settings, *form())
    assert said == ""
    assert "race-quick-augment-none-batch_size-32" in table
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "fer_core", "budget"]
    chosen = _parser().parse_args(words[3:])
    from fer_core.cli.budget_commands import _plan

    assert _plan(chosen) == read_budget_form(*form())
    assert chosen.work
    assert chosen.runs == settings.runs_folder
    many = dataclasses.replace(read_budget_form(*form()), kind="updates", amount=1_000_000)
    assert "--updates 1000000 " in budget_command(many)


def test_names_that_are_free_and_budgets_in_words() -> None:
    assert suggested_name("epochs", ["epochs-1", "epochs-3"]) == "epochs-2"
    plan = read_budget_form(*form(amount=11))
    assert budget_words(plan) == "11 epochs each"
    assert budget_words(dataclasses.replace(plan, amount=1)) == "1 epoch each"
    assert budget_words(dataclasses.replace(plan, kind="seconds", amount=30.0)) == (
        "30 s of training each"
    )


def test_starting_from_the_form_keeps_the_plan(
    settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        budget_form,
        "start_budget",
        lambda plan, folder: start_budget(plan, folder, launch=lambda *asked: None),
    )
    plan = start_from_budget_form(settings, *form())
    assert read_plan(settings.runs_folder, "race") == plan
    shown = updates(settings)
    assert shown["stored"]["value"] == "race"
    assert "queued" in shown["progress"]["value"]


@pytest.mark.parametrize(("kind", "said"), [("seconds", "measure their speed"), ("epochs", "")])
def test_a_start_says_what_it_does_meanwhile(
    settings: AppSettings, monkeypatch: pytest.MonkeyPatch, kind: str, said: str
) -> None:
    """The same seconds need the speed of each contender, which takes many seconds."""
    monkeypatch.setattr(budget_form, "start_budget", lambda plan, folder: None)
    flat = ["quick", AS_RECIPE, "", "quick", "none", ""]
    asked = ("race", kind, 2, DEFAULT_DATA_CHOICE, 1, 50, 2, *flat)
    first, last = start_updates(settings, asked)
    assert said in first[2]
    assert not first[-1].interactive
    assert last[0] == "race"
    assert "is in the queue" in last[2]
    assert last[-1].interactive
    _, refused = start_updates(settings, (*asked[:2], 0, *asked[3:]))
    assert "This cannot start" in refused[1]
    assert refused[2] == ""
    assert refused[-1].interactive
