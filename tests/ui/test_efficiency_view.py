"""The Efficiency tab: what it shows, when it redraws, what a published page closes."""

from __future__ import annotations

import csv
import dataclasses
import time
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from fer_core.comparison.ceiling import Ceiling
from fer_core.runs.config import RunConfig
from fer_core.ui.experiments import (
    ceiling_band,
    efficiency_page,
    efficiency_view,
    run_board,
    run_views,
)
from fer_core.ui.experiments.efficiency_view import efficiency_updates
from fer_core.ui.figures.efficiency import accuracy_cost_figure
from fer_core.ui.figures.runs import comparison_figure, training_figure
from fer_core.ui.shared.settings import AppSettings

AT_LEAST = {10: 0.22, 9: 0.38, 8: 0.52, 7: 0.65, 6: 0.76, 5: 0.88}
CEILING = Ceiling(3589, AT_LEAST, 0.55, 0.63, 0.56, 0.74)
BAND = CEILING.band


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (run_views, run_board, efficiency_page):
        monkeypatch.setattr(module, "SHIPPED_CHECKPOINTS", tmp_path / "shipped")


def table_of(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """(name, GFLOPs, accuracy) as an efficiency table."""
    return pd.DataFrame(
        {
            "name": [name for name, _, _ in rows],
            "gflops": [cost for _, cost, _ in rows],
            "latency_ms": np.nan,
            "accuracy": [accuracy for *_, accuracy in rows],
            "low": [accuracy - 0.015 for *_, accuracy in rows],
            "high": [accuracy + 0.015 for *_, accuracy in rows],
        }
    )


def test_costs_on_the_axis_are_written_out() -> None:
    narrow = accuracy_cost_figure(
        table_of(("a", 0.004, 0.5), ("b", 0.02, 0.6)), [True] * 2, "gflops"
    )
    assert list(narrow.layout.xaxis.ticktext) == ["0.005", "0.01", "0.02"]
    wide = accuracy_cost_figure(table_of(("a", 0.004, 0.5), ("b", 40.0, 0.6)), [True] * 2, "gflops")
    assert list(wide.layout.xaxis.ticktext) == ["0.01", "0.1", "1", "10", "100"]


def test_names_do_not_lie_over_each_other_and_the_front_keeps_its_own() -> None:
    table = table_of(
        *(("one", 0.01, 0.500), ("two", 0.01, 0.502), ("three", 0.01, 0.501), ("far", 0.01, 0.6))
    )
    figure = accuracy_cost_figure(table, [True, False, False, False], "gflops")
    _, on_front, beaten = figure.data
    assert [text.strip() for text in on_front.text] == ["one"]
    assert list(on_front.textposition) == ["top right"]
    assert [text.strip() for text in beaten.text] == ["two", "", "far"]
    sides = [position.split()[1] for position in beaten.textposition]
    assert sides[0] == "left", "the other side is free"
    assert sides[2] == "right"
    assert [name for name, *_ in beaten.customdata] == ["two", "three", "far"]  # the hover says it


def test_the_front_is_drawn_and_every_point_named_with_its_interval() -> None:
    table = table_of(("small", 0.01, 0.5), ("beaten", 0.02, 0.4), ("large", 0.1, 0.7))
    figure = accuracy_cost_figure(table, [True, False, True], "gflops")
    front, on_front, beaten = figure.data
    assert list(front.x) == [0.01, 0.1]
    assert [text.strip() for text in on_front.text] == ["small", "large"]
    assert [text.strip() for text in beaten.text] == ["beaten"]
    assert list(on_front.textposition) == ["top right", "top left"]  # towards the middle
    assert list(beaten.textposition) == ["middle right"], "a point of the front may be right below"
    assert figure.layout.xaxis.type == "log"
    assert on_front.customdata[0].tolist() == ["small", 0.485, 0.515]
    assert "95 % interval" in on_front.hovertemplate
    assert list(on_front.error_y.array) == pytest.approx([0.015, 0.015])
    assert not figure.layout.shapes
    low, high = figure.layout.yaxis.range
    assert low < 0.385
    assert high > 0.715


def test_every_point_is_in_sight_with_its_whisker_and_its_short_name() -> None:
    names = ("shipped/expressnet-nano", "a-run-with-a-name-that-is-too-long")
    table = table_of((names[0], 0.004, 0.5), (names[1], 0.4, 0.7)).assign(low=[0.47, 0.62])
    figure = accuracy_cost_figure(table, [True, True], "gflops")
    points = figure.data[1]
    assert [text.strip() for text in points.text] == [
        "expressnet-nano",
        "a-run-with-a-name-that-…",
    ]
    assert list(points.error_y.arrayminus) == pytest.approx([0.03, 0.08])
    left, right = figure.layout.xaxis.range
    assert left < np.log10(0.004) < np.log10(0.4) < right
    assert right - left < 3, "nor do they crowd in the middle"
    places, words = figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext
    assert list(places) == [float(word) for word in words]
    low, high = figure.layout.yaxis.range
    assert 0.4 < low < 0.47
    assert 0.715 < high < 0.8


def test_no_accuracy_below_nought_or_far_above_all_of_them_is_on_the_axis() -> None:
    table = table_of(("a", 0.01, 0.02), ("b", 0.1, 0.99))
    assert list(accuracy_cost_figure(table, [True] * 2, "gflops").layout.yaxis.range) == [0, 1.02]


def test_a_cost_that_nobody_knows_says_how_to_learn_it() -> None:
    figure = accuracy_cost_figure(table_of(("a", 0.01, 0.5)), [False], "latency_ms")
    assert "Measure latency" in figure.layout.annotations[0].text


@pytest.mark.parametrize("kind", ["cost", "training", "comparison"])
def test_the_band_stands_on_charts_of_accuracy(kind: str) -> None:
    epochs = [{"epoch": 1, "train_accuracy": 0.4, "validation_accuracy": 0.5}]
    figure = {
        "cost": lambda: accuracy_cost_figure(table_of(("a", 0.1, 0.6)), [True], "gflops", BAND),
        "training": lambda: training_figure(epochs, "accuracy", 1, BAND),
        "comparison": lambda: comparison_figure({"a": epochs}, "accuracy", BAND),
    }[kind]()
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(shape.y0, shape.y1) for shape in bands] == [(0.52, 0.76)]
    assert bands[0].label.text == "8 to 6 of 10 people agree"


def test_no_band_on_a_chart_of_losses() -> None:
    epochs = [{"epoch": 1, "train_loss": 0.4, "validation_loss": 0.5}]
    assert not training_figure(epochs, "loss", None, BAND).layout.shapes
    assert not comparison_figure({"a": epochs}, "loss", BAND).layout.shapes


def test_without_a_scored_run_the_page_says_what_to_do(settings: AppSettings) -> None:
    empty, body, *_ = efficiency_updates(settings, None, "gflops", {})
    assert empty["visible"]
    assert not body["visible"]
    assert "Train" in efficiency_page.NOTHING


def test_the_page_shows_one_set_of_test_images_at_a_time(
    settings: AppSettings, make_run: Any
) -> None:
    make_run("one", accuracy=0.6)
    make_run("two", accuracy=0.7)
    make_run("drawn", config=RunConfig(split="stratified", split_seed=7))
    _, body, group, _, note, table, download, now = efficiency_updates(settings, None, "gflops", {})
    assert "no figure for this cost" not in note, "both have one"
    assert "<td>70.0</td><td>68.5–71.5</td><td>0.680</td>" in table
    assert body["visible"]
    assert group["choices"][0][0].endswith("(2 models)")
    assert "two" in table
    assert "drawn" not in table.split("<tbody>")[1]
    with Path(download["value"]).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["front"]) for row in rows] == [("two", "True"), ("one", "False")]
    assert "folder" not in rows[0]
    other = group["choices"][1][1]
    assert "seed 7" in group["choices"][1][0]
    shown = efficiency_updates(settings, other, "gflops", now)
    assert "drawn" in shown[5]
    assert shown[2]["value"] == other


def test_a_name_from_outside_is_escaped(settings: AppSettings, make_run: Any) -> None:
    make_run("<b>bold", accuracy=0.6)
    assert "<b>bold" not in efficiency_updates(settings, None, "gflops", {})[5]


def test_nothing_is_sent_as_long_as_nothing_changes(
    settings: AppSettings, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficiency_page, "ceiling_on", lambda *_: CEILING)
    make_run("one", accuracy=0.6)
    *_, now = efficiency_updates(settings, None, "gflops", {})
    assert all(
        part == gr.skip() for part in efficiency_updates(settings, now["key"], "gflops", now)
    )
    make_run("two", accuracy=0.7)
    again = efficiency_updates(settings, now["key"], "gflops", now)
    assert "two" in again[5]
    assert efficiency_updates(settings, now["key"], "parameters", again[-1])[3] != gr.skip()


def test_the_band_comes_when_it_is_known(
    settings: AppSettings, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Ceiling | None] = [None]
    monkeypatch.setattr(efficiency_page, "ceiling_on", lambda *_: found[0])
    make_run("one", accuracy=0.6)
    *_, now = efficiency_updates(settings, None, "gflops", {})
    chart = efficiency_updates(settings, now["key"], "gflops", now)[3]
    assert chart == gr.skip()
    found[0] = CEILING
    shown = efficiency_updates(settings, now["key"], "gflops", now)
    assert shown[3].layout.shapes
    assert "22\N{NO-BREAK SPACE}% of these 3,589 faces all ten" in shown[4]


def test_measuring_fills_the_table(
    settings: AppSettings,
    make_run: Any,
    write_checkpoint: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    run = make_run("one", accuracy=0.6)
    made = write_checkpoint(tmp_path / "made")
    (made / "weights.safetensors").rename(run.path / "weights.safetensors")
    make_run("without-weights", accuracy=0.5)
    before = efficiency_updates(settings, None, "latency_ms", {})
    assert before[5].count("<small>") == 0
    *_, (measure, stop, words) = efficiency_view._measure(settings, None)
    assert "Measured 1 of 2 models in" in words
    assert "weights of 1 are not there" in words
    assert measure["interactive"]
    assert not stop["interactive"]
    after = efficiency_updates(settings, before[-1]["key"], "latency_ms", before[-1])
    assert after[5].count("<small>") == 2  # one image and batch, of the one with weights
    assert "1 model has no figure" in after[4]


def test_a_published_page_measures_nothing(settings: AppSettings, make_run: Any) -> None:
    make_run("one", accuracy=0.6)
    public = dataclasses.replace(settings, public=True)
    with pytest.raises(gr.Error, match="closed on this published page"):
        list(efficiency_view._measure(public, None))
    with pytest.raises(gr.Error, match="no scored model"):
        list(efficiency_view._measure(dataclasses.replace(settings, runs_folder="none"), None))


def test_data_in_the_working_folder_itself_has_no_band(tmp_path: Path) -> None:
    assert ceiling_band.ceiling_for(RunConfig(data="."), tmp_path) is None


def test_a_ceiling_is_found_beside_the_page(
    tmp_path: Path, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling_band, "_known", {})

    def slow(config: RunConfig, folder: Path, known: object) -> Ceiling | None:
        time.sleep(0.2)
        return CEILING if config.data == "rated.parquet" else None

    monkeypatch.setattr(ceiling_band, "ceiling_of_run", slow)
    rated = [
        make_run(f"r{seed}", config=RunConfig(data="rated.parquet", seed=seed)) for seed in (1, 2)
    ]
    other = make_run("other", config=RunConfig(data="plain.csv"))
    begun = time.monotonic()
    assert ceiling_band.band_for(rated, tmp_path) is None
    assert time.monotonic() - begun < 0.15
    deadline = time.monotonic() + 20
    while ceiling_band.band_for(rated, tmp_path) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ceiling_band.band_for(rated, tmp_path) == BAND
    assert ceiling_band.band_for([*rated, other], tmp_path) is None
    assert ceiling_band.band_for([], tmp_path) is None


@pytest.mark.parametrize("change", [{"split_seed": 7}, {"drop_duplicates": True}, {"data": "b"}])
def test_a_ceiling_is_that_of_the_runs_own_test_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    plain = RunConfig(data="a")
    monkeypatch.setattr(ceiling_band, "_known", {})
    monkeypatch.setattr(
        ceiling_band, "ceiling_of_run", lambda config, *_: CEILING if config == plain else None
    )
    deadline = time.monotonic() + 20
    while ceiling_band.ceiling_for(plain, tmp_path) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ceiling_band.ceiling_for(plain, tmp_path) == CEILING
    assert ceiling_band.ceiling_for(dataclasses.replace(plain, **change), tmp_path) is None


def test_each_table_is_a_download_of_its_own() -> None:
    tables = [pd.DataFrame({"name": [name], "folder": ["/home/owner"]}) for name in ("a", "b")]
    first, second = (efficiency_page.write_efficiency(table) for table in tables)
    assert first != second
    assert efficiency_page.write_efficiency(tables[0]) == first
    assert [path.read_text() for path in (first, second)] == ["name\na\n", "name\nb\n"]
    assert first.name == second.name == "efficiency.csv"
