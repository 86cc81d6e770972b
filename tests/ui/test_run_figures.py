"""Charts of runs: the curves of one, of several over each other, the confusion matrix."""

from __future__ import annotations

from typing import Any

from fer_core.ui.experiments import run_board
from fer_core.ui.figures.runs import (
    RUN_COLOURS,
    comparison_figure,
    confusion_figure,
    run_colours,
    training_figure,
)
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train import live_run


def test_curves_show_training_and_validation_and_the_best_epoch(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("run", epochs=5)
    live = live_run.read_live(settings, "run")
    figure = training_figure(live.epochs, "accuracy", live.best)
    assert [trace.name for trace in figure.data] == ["training", "validation"]
    assert list(figure.data[1].y) == [epoch["validation_accuracy"] for epoch in live.epochs]
    best = max(live.epochs, key=lambda epoch: epoch["validation_accuracy"])["epoch"]
    assert live.best == best
    assert figure.layout.shapes[0].x0 == best


def test_the_best_epoch_is_named_where_the_curves_do_not_run(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("run", epochs=5)
    live = live_run.read_live(settings, "run")
    sides = {
        quantity: training_figure(live.epochs, quantity, live.best).layout.annotations[0].y
        for quantity in ("loss", "accuracy")
    }
    assert sides == {"loss": 1, "accuracy": 0}  # losses fall to the bottom, accuracies rise


def test_the_border_between_two_phases_is_drawn() -> None:
    line = {"train_loss": 1.0, "validation_loss": 1.0}
    epochs = [
        {**line, "epoch": number, "phase": 1 + (number > 2), "learning_rate": 0.001}
        for number in range(1, 5)
    ]
    figure = training_figure(epochs, "loss")
    assert figure.layout.shapes[0].x0 == 2.5
    assert figure.layout.annotations[0].text == "phase 2, rate 0.001"
    assert not training_figure(epochs[:2], "loss").layout.shapes


def test_confusion_rows_are_shares_of_the_true_class() -> None:
    figure = confusion_figure([[3, 1], [0, 0]], ["happy", "sad"], shares=True)
    assert figure.data[0].z.tolist() == [[0.75, 0.25], [0.0, 0.0]]
    assert list(figure.data[1].text) == ["75 %", "25 %", "–", "–"], "a class without an image"
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1), "one colour for one share"
    counted = confusion_figure([[3, 1], [0, 0]], ["happy", "sad"], shares=False)
    assert list(counted.data[1].text) == ["3", "1", "0", "0"]
    assert counted.data[0].zmax == 3
    assert figure.layout.yaxis.title.text == "true"
    named = confusion_figure([[3, 1], [0, 0]], ["1", "7"], shares=True)
    assert (named.layout.xaxis.type, named.layout.yaxis.type) == ("category", "category")


def test_compared_runs_have_one_colour_each_training_broken_validation_solid(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("one")
    make_run("two", epochs=6)
    runs = run_board.curves_of(settings.runs_folder, ["one", "two"])
    figure = comparison_figure(runs, "accuracy")
    by_run = {name: [t for t in figure.data if t.name == name] for name in runs}
    for name, traces in by_run.items():
        assert {trace.line.dash for trace in traces} == {"solid", "dot"}
        assert len({trace.line.color for trace in traces}) == 1
        solid = next(trace for trace in traces if trace.line.dash == "solid")
        assert list(solid.y) == [epoch["validation_accuracy"] for epoch in runs[name]]
    assert by_run["one"][0].line.color != by_run["two"][0].line.color


def test_the_matrix_names_what_stands_where_and_can_be_read() -> None:
    figure = confusion_figure([[90, 10], [50, 50]], ["happy", "sad"], shares=True)
    cells, texts = figure.data
    assert list(zip(texts.y, texts.x, texts.text, strict=True)) == [
        ("happy", "happy", "90 %"),
        ("happy", "sad", "10 %"),
        ("sad", "happy", "50 %"),
        ("sad", "sad", "50 %"),
    ]
    assert cells.customdata[0].tolist() == [[90, 0.9], [10, 0.1]]
    white = [colour == "#ffffff" for colour in texts.textfont.color]
    assert white == [True, False, True, True], "dark cells alone"
    assert figure.layout.yaxis.autorange == "reversed", "the first class stands at the top"
    assert figure.layout.xaxis.title.text == "predicted"


def test_after_eight_runs_colours_come_again() -> None:
    names = [str(number) for number in range(9)]
    colours = run_colours(names)
    assert [colours[name] for name in names[:8]] == list(RUN_COLOURS)
    assert colours["8"] == colours["0"]


def test_a_single_epoch_is_drawn_on_an_axis_of_whole_epochs() -> None:
    epochs = [{"epoch": 1, "train_loss": 1.0, "validation_loss": 1.0}]
    axis = training_figure(epochs, "loss").layout.xaxis
    assert axis.range[0] < 1
    assert axis.range[1] > 2
    assert axis.dtick == 1
    both = comparison_figure({"a": epochs, "b": []}, "loss")
    assert [trace.name for trace in both.data] == ["a", "a"]
    assert "choose runs" in comparison_figure({"b": []}, "loss").layout.annotations[0].text
