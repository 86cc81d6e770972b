"""The tables of ablations and sweeps: their figures, and how they are written."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.comparison.pairs import read_pair
from fer_core.comparison.significance import mcnemar
from fer_core.comparison.sweeps.ablation import (
    plan_ablation,
    switches,
)
from fer_core.comparison.sweeps.document import TableDocument, render
from fer_core.comparison.sweeps.report import CHOICE_NOTE, sweep_document
from fer_core.comparison.sweeps.table import best_cell, cell_results
from fer_core.data.policies import POLICIES
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import write_json
from fer_core.training.metrics import full_report
from fer_core.training.sweep import Sweep, SweepError, plan_sweep
from fer_core.training.sweep_queue import start_sweep

BASE = RunConfig(
    recipe="quick",
    model="expressnet_demo",
    augment=POLICIES["light"],  # flip, rotation and shift
    ema_decay=0.98,
    device="cpu",
)
LABELS = np.arange(140) % 7


def finish(folder: RunFolder, right: int, validation: float, best_epoch: int = 3) -> None:
    """The files of a finished run whose first `right` of 140 test images are named rightly."""
    predicted = np.where(np.arange(len(LABELS)) < right, LABELS, (LABELS + 1) % 7)
    probabilities = np.full((len(LABELS), 7), 0.05)
    probabilities[np.arange(len(LABELS)), predicted] = 0.7
    columns = {
        f"probability_{name}": probabilities[:, place] for place, name in enumerate(FER2013_CLASSES)
    }
    frame = {"id": [f"row {index}" for index in range(len(LABELS))], "index": range(len(LABELS))}
    pd.DataFrame(
        {**frame, "split": "test", "label": LABELS, **columns, "has_twin": False}
    ).to_parquet(folder.predictions)
    record = {
        "state": "finished",
        "best_epoch": best_epoch,
        "seconds": float(right),
        "model": {"parameters": 1234},
        "data": {"source": "tiny"},
        "validation": {"accuracy": validation},
        "test": full_report(probabilities, LABELS, FER2013_CLASSES),
    }
    write_json(folder.record, record)


def queue(sweep: Sweep, runs_folder: Path) -> dict[str, RunFolder]:
    folders = start_sweep(sweep, runs_folder, launch=lambda *asked: None)
    return {folder.name: folder for folder in folders}


def test_one_seed_shows_its_interval_and_the_best_is_chosen_on_validation(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, {"optimizer": ("sgd", "adam", "adamw")})
    folders = queue(sweep, tmp_path)
    finish(folders["one-sgd-s0"], right=70, validation=0.6)
    finish(folders["one-adam-s0"], right=90, validation=0.5)  # better only on the test part
    rows = cell_results(sweep, tmp_path)
    assert [row.cell.name for row in rows] == ["sgd", "adam", "adamw"]
    assert best_cell(rows).name == "sgd"
    assert rows[0].accuracy.mean == 0.5
    assert rows[0].accuracy.deviation is None
    assert rows[0].interval[0] < 0.5 < rows[0].interval[1]
    assert (rows[2].scored, rows[2].accuracy, rows[2].interval) == (0, None, None)
    by_test = [row.cell.name for row in cell_results(sweep, tmp_path, "test")]
    assert by_test == ["adam", "sgd", "adamw"]
    by_time = [row.cell.name for row in cell_results(sweep, tmp_path, "seconds")]
    assert by_time == ["sgd", "adam", "adamw"]


def test_several_seeds_show_mean_and_deviation(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, {"optimizer": ("sgd", "adam")}, seeds=3)
    folders = queue(sweep, tmp_path)
    right = (70, 77, 84)
    for seed, count in enumerate(right):
        finish(folders[f"one-sgd-s{seed}"], count, validation=0.1 * seed, best_epoch=seed + 2)
    finish(folders["one-adam-s0"], 100, validation=0.9)
    adam, sgd = cell_results(sweep, tmp_path)
    shares = [count / 140 for count in right]
    assert sgd.accuracy.mean == pytest.approx(statistics.mean(shares))
    assert sgd.accuracy.deviation == pytest.approx(statistics.stdev(shares))
    assert sgd.validation.mean == pytest.approx(0.1)
    assert sgd.best_epochs == (2, 3, 4)
    assert (sgd.interval, sgd.p_value) == (None, None)
    assert (adam.scored, adam.accuracy.deviation, adam.interval) == (1, None, None)
    document = sweep_document(sweep, tmp_path)
    texts = [dict(zip(document.headers, row, strict=True)) for row in document.rows]
    assert texts[1]["test %"] == "55.0 ± 5.0"
    assert texts[0]["runs"] == "1 of 3"
    assert any("2 of 6 runs have no result yet" in note for note in document.notes)


def test_significance_is_paired_and_against_the_reference(tmp_path: Path) -> None:
    sweep = plan_ablation("one", BASE, ["flip", "rotation"])
    folders = queue(sweep, tmp_path)
    finish(folders["one-all-s0"], 100, validation=0.5)
    finish(folders["one-no-flip-s0"], 99, validation=0.5)
    finish(folders["one-no-rotation-s0"], 40, validation=0.5)
    values = {row.cell.name: row.p_value for row in cell_results(sweep, tmp_path)}
    assert values["all"] is None
    assert values["no-flip"] == 1.0
    assert values["no-rotation"] < 1e-10
    one, other = (folders[f"one-{cell}-s0"].path for cell in ("all", "no-rotation"))
    pair = read_pair(one, other)
    alone = mcnemar(pair.correct_a, pair.correct_b).p_value
    assert values["no-rotation"] == pytest.approx(2 * alone, abs=0), "the lesser of two, by Holm"
    finish(folders["one-no-rotation-s0"], 100, validation=0.5)  # made anew, so read anew
    assert cell_results(sweep, tmp_path)[2].p_value == 1.0


def test_the_ablation_table_says_yes_and_no(tmp_path: Path) -> None:
    sweep = plan_ablation("one", BASE, ["flip", "label_smoothing"], seeds=1)
    folders = queue(sweep, tmp_path)
    finish(folders["one-all-s0"], 70, validation=0.5)
    finish(folders["one-no-flip-s0"], 56, validation=0.6)
    document = sweep_document(sweep, tmp_path, "ablation")
    assert document.headers[:2] == ("mirror images", "label smoothing")
    assert [row[:2] for row in document.rows] == [("yes", "yes"), ("no", "yes"), ("yes", "no")]
    difference = document.headers.index("difference")
    assert [row[difference] for row in document.rows] == ["", "−10.0", ""]
    assert document.bold == {1}
    assert "label smoothing = 0.1" in document.notes[0]
    assert "mirror images = 0.5" in document.notes[0]
    assert CHOICE_NOTE in document.notes


def test_the_augmentation_of_the_base_is_told_in_words(tmp_path: Path) -> None:
    mine = BASE.with_settings(["augment.noise_std=0.1"])
    for base, told in (
        (BASE, "light"),
        (
            mine,
            "flip probability 0.5, rotation degrees 8, shift fraction 0.05, noise std 0.1",
        ),
    ):
        sweep = plan_ablation("one", base, ["augment"], seeds=1)
        [note, *_] = sweep_document(sweep, tmp_path, "ablation").notes
        assert note == f"Yes means: augmentation = {told}."


def test_a_sweep_over_switches_reads_as_an_ablation(tmp_path: Path) -> None:
    vary = {
        "augment.flip_probability": ("0", "0.5"),
        "class_weights": ("no", "yes"),
        "learning_rate": ("1e-3", "1e-2"),
        "label_smoothing": ("0", "0.1", "0.2"),
    }
    sweep = plan_sweep("one", BASE, vary)
    assert dict(zip(sweep.fields, switches(sweep), strict=True)) == {
        **dict.fromkeys(vary, True),
        "learning_rate": False,
    }
    queue(sweep, tmp_path)
    rows = sweep_document(sweep, tmp_path, "ablation").rows
    columns = {field: {row[place] for row in rows} for place, field in enumerate(sweep.fields)}
    assert columns == {
        "augment.flip_probability": {"no", "yes"},
        "class_weights": {"no", "yes"},
        "learning_rate": {"1e-3", "1e-2"},
        "label_smoothing": {"no", "0.1", "0.2"},
    }
    with pytest.raises(SweepError, match="on in some runs and off in others"):
        sweep_document(
            plan_sweep("two", BASE, {"optimizer": ("sgd", "adam")}), tmp_path, "ablation"
        )


def test_the_csv_holds_the_figures_of_the_records(tmp_path: Path) -> None:
    sweep = plan_sweep("one", BASE, {"optimizer": ("sgd", "adam")})
    folders = queue(sweep, tmp_path)
    finish(folders["one-sgd-s0"], 77, validation=0.25)
    text = render(sweep_document(sweep, tmp_path), "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert float(rows[0]["test_accuracy"]) == 0.55
    assert float(rows[0]["test_low"]) < 0.55 < float(rows[0]["test_high"])
    assert rows[0]["validation_accuracy"] == "0.25"
    assert (rows[0]["optimizer"], rows[0]["best_epochs"], rows[0]["parameters"]) == (
        "sgd",
        "3",
        "1234",
    )
    assert (rows[1]["optimizer"], rows[1]["test_accuracy"]) == ("adam", "")


def document_of(*rows: tuple[str, ...]) -> TableDocument:
    headers = tuple(f"h{place}" for place in range(len(rows[0])))
    return TableDocument("A & B_c", headers, rows, headers, rows, bold=frozenset({0}))


def test_an_unknown_format_or_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the format must be one of"):
        render(document_of(("a",)), "pdf")
    with pytest.raises(ValueError, match="the order must be one of"):
        cell_results(plan_sweep("one", BASE, {}), tmp_path, "luck")


def test_the_table_says_what_differs_from_the_recipe(tmp_path: Path) -> None:
    recipe = RECIPES["quick"].config
    base = recipe.with_settings(["train_share=0.2", "augment.noise_std=0.1"])
    [note, *_] = sweep_document(plan_sweep("one", base, {}), tmp_path).notes
    assert note.startswith("Recipe quick, train_share=0.2, augment.noise_std=0.1, data drawn, 10 ")
    [note, *_] = sweep_document(plan_sweep("one", recipe, {}), tmp_path).notes
    assert note.startswith("Recipe quick, data drawn, 10 epochs, seed 0")


def test_data_paths_stay_out_of_the_tables(tmp_path: Path) -> None:
    base = replace(BASE, data="/home/someone/faces.csv", start_from="/home/someone/first")
    sweep = plan_sweep("one", base, {})
    notes = sweep_document(sweep, tmp_path).notes
    assert any("faces.csv" in note for note in notes)
    assert not any("someone" in note for note in notes)


def test_a_damaged_record_is_named_and_hides_no_other(tmp_path: Path) -> None:
    sweep = plan_sweep("rates", BASE, {"optimizer": ("sgd", "adam")})
    folders = queue(sweep, tmp_path)
    first, second = folders.values()
    finish(first, 100, 0.7)
    finish(second, 90, 0.6)
    second.record.write_text('{"validation": 5}')
    document = sweep_document(sweep, tmp_path)
    assert [row.scored for row in cell_results(sweep, tmp_path)] == [1, 0]
    said = " ".join(document.notes)
    assert f"Left out: {second.name}/record.json is damaged: validation must be a table" in said
    assert "have no result yet" not in said
