"""Charts and words of the Equal budgets page, on states and figures made by hand."""

from __future__ import annotations

import dataclasses

import pytest
from budget_forms import form
from standins import text_of

from fer_core.comparison.budgets.equal_budget import BudgetPlan
from fer_core.comparison.budgets.runs import ContenderState
from fer_core.ui.experiments.budgets.form import read_budget_form
from fer_core.ui.experiments.budgets.words import budget_words, progress_html
from fer_core.ui.figures.budgets import budget_figure, class_figure


@pytest.fixture
def plan() -> BudgetPlan:
    return read_budget_form(*form())


def test_the_progress_says_of_each_contender_where_it_stands(plan: BudgetPlan) -> None:
    states = [
        ContenderState("first", "race-1", "finished", 1.0, "an old reason"),
        ContenderState("second", "race-2", "running", 0.5, "compiling", seconds_left=80.0),
        ContenderState("third", "race-3", "failed", 0.3, "out of memory in /home/owner"),
        ContenderState("fourth", "race-4", "queued", 0.0),
    ]
    shown = text_of(progress_html(plan, states, public=False))
    assert "race: 2 epochs each" in shown
    assert "1 of 4 finished; 1 min 20 s left for the one that trains." in shown
    assert "first finished second running 50 %: compiling third failed : out of memory" in shown
    assert shown.endswith("fourth queued")
    assert "aria-valuenow='45'" in progress_html(plan, states, public=False)
    published = text_of(progress_html(plan, states, public=True))
    assert "out of memory" not in published
    assert "third failed" in published
    unknown = [dataclasses.replace(state, seconds_left=None) for state in states]
    assert "1 of 4 finished. " in text_of(progress_html(plan, unknown, public=False))


@pytest.mark.parametrize(
    ("kind", "amount", "words"),
    [
        ("epochs", 1, "1 epoch each"),
        ("epochs", 2, "2 epochs each"),
        ("updates", 1200, "1,200 updates each"),
        ("seconds", 1, "1 s of training each"),
    ],
)
def test_a_budget_is_said_with_its_unit(
    plan: BudgetPlan, kind: str, amount: int, words: str
) -> None:
    assert budget_words(dataclasses.replace(plan, kind=kind, amount=amount)) == words


def test_curves_run_along_what_was_spent() -> None:
    epochs = [{"epoch": n, "validation_accuracy": 0.5 + n / 1000} for n in (1, 2)]
    figure = budget_figure(
        {"a": ([10.0, 20.0], epochs), "b": ([], [])}, "accuracy", "updates", {"a": "#123456"}, 40
    )
    assert list(figure.data[0].x) == [10, 20]
    assert figure.layout.xaxis.range[1] > 40
    assert figure.layout.yaxis.tickformat == ".1%"  # whole percents would all read alike
    assert figure.layout.shapes[0].x0 == 40
    empty = budget_figure({"a": ([], [])}, "loss", "epochs", {"a": "#123456"})
    assert "after the first epoch" in empty.layout.annotations[0].text


def test_bars_that_are_noise_are_pale() -> None:
    figure = class_figure(
        ["happy", "sad", "fear"],
        [0.1, -0.05, 0.0],
        [True, False, None],
        ("a", "b"),
        ("#111111", "#222222"),
        "Recall",
    )
    bars = figure.data[0]
    assert list(bars.marker.color) == ["#111111", "#222222", "#111111"]
    assert bars.marker.opacity[1] < bars.marker.opacity[0] == bars.marker.opacity[2]
    assert list(bars.text) == ["+10.0", "−5.0", "0.0"]
    assert figure.layout.yaxis.type == "category", "classes may be called 1, 2 and 7"


def test_the_axis_holds_the_longest_curve_and_says_what_it_counts() -> None:
    epochs = [{"epoch": n, "validation_accuracy": n / 10} for n in range(1, 5)]
    colours = {"short": "#111111", "long": "#222222"}
    curves = {"short": ([10.0], epochs[:1]), "long": ([10.0, 20.0, 30.0, 40.0], epochs)}
    figure = budget_figure(curves, "accuracy", "updates", colours)
    low, high = figure.layout.xaxis.range
    assert low == 0
    assert 40 < high < 45
    assert figure.layout.xaxis.title.text == "updates"
    assert figure.layout.title.text == "Validation accuracy"
    assert figure.layout.yaxis.tickformat == ".0%"
    assert not figure.layout.shapes
    counted = {name: (list(range(1, 1 + len(known))), known) for name, (_, known) in curves.items()}
    assert budget_figure(counted, "accuracy", "epochs", colours).layout.xaxis.dtick == 1
    hover = figure.data[1]
    assert list(hover.customdata) == [1, 2, 3, 4]
    assert hover.hovertemplate.startswith("long: %{y:.1%}<extra>%{x:,.4~r} updates, epoch")


def test_bars_of_classes_stand_around_nought_and_say_who_is_better() -> None:
    names, colours = ("a", "b"), ("#111111", "#222222")
    figure = class_figure(["happy", "sad"], [0.2, -0.5], [True, True], names, colours, "F1")
    low, high = figure.layout.xaxis.range
    assert -low == high > 50, "room for the number beside the longest bar"
    assert figure.layout.xaxis.title.text == "← b better · a better →"
    assert figure.layout.title.text == "F1, difference in points"
    small = class_figure(["happy"], [0.001], [False], names, colours, "F1")
    assert small.layout.xaxis.range[1] >= 5, "a tenth of a point must not fill the chart"
    long = ("a-run-with-a-name-that-is-long-1", "a-run-with-a-name-that-is-long-2")
    titled = class_figure(["happy"], [0.1], [True], long, colours, "F1").layout.xaxis.title.text
    assert titled == f"← …{long[1][-19:]} better<br>…{long[0][-19:]} better →"
