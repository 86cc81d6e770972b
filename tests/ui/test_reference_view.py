"""The table of reference systems: published beside measured beside the visitor's own run."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.comparison.references.rows import ReferenceRow, read_row, rows_of_runs
from fer_core.comparison.references.table import reference_document
from fer_core.data.faces import DataError
from fer_core.runs import references
from fer_core.runs.config import RunConfig
from fer_core.runs.recipe import Recipe
from fer_core.runs.recipes import find_recipe
from fer_core.runs.record import read_record
from fer_core.runs.references import Reference
from fer_core.training.job import create_run
from fer_core.training.run import execute_run
from fer_core.ui.experiments.reference_view import reference_html
from fer_core.ui.experiments.run_details import mistakes, summary_html
from fer_core.ui.shared.settings import AppSettings


@pytest.fixture(autouse=True)
def one_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    only = Reference("mine", "B", "a <small> one", "quick", 0.6137)
    monkeypatch.setattr(references, "REFERENCES", {"mine": only})


def test_without_runs_and_results_the_table_says_so(tmp_path: Path) -> None:
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    assert "61.37 %" in page
    assert "not yet" in page
    assert "a &lt;small&gt; one (quick)" in page


def test_the_visitors_own_run_stands_beside_the_published_figure(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    run = create_run(replace(tiny_config, epochs=1), tmp_path / "runs", "own")
    execute_run(run)
    test = read_record(run)["test"]
    low, high = test["interval"]
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    interval = f"<small>{100 * low:.2f} % to {100 * high:.2f} %</small>"
    assert f"{100 * test['accuracy']:.2f} %{interval}<small>settings changed" in page


def test_the_projects_figure_is_read_from_the_results(tmp_path: Path) -> None:
    (tmp_path / "reference.csv").write_text(
        "name,ours,low,high,settings,state\nmine,0.615,0.6,0.63,whole,finished\n"
    )
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    assert "61.50 %<small>60.00 % to 63.00 %</small>" in page


def test_a_run_on_other_data_is_not_set_beside_the_report(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the built-in faces, which a visitor has open first."""
    run = create_run(replace(tiny_config, epochs=1), tmp_path / "runs", "own")
    execute_run(run)
    for scored, told in ((3_589, True), (42, False), (0, False)):
        only = Reference("mine", "C", "one", "quick", 0.5, scored=scored)
        monkeypatch.setattr(references, "REFERENCES", {"mine": only})
        page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
        assert ("on other data, so not to be compared" in page) == told
    row = ReferenceRow(only, "finished", value=0.4, interval=(0.3, 0.45), settings="other data")
    assert row.verdict == ""


def test_a_run_without_a_test_part_does_not_break_the_table(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(
        replace(tiny_config, epochs=1, split="stratified", test_share=0.0), tmp_path / "runs", "own"
    )
    execute_run(run)
    assert read_record(run)["test"] is None
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    assert "finished without a test part" in page
    row = read_row(references.REFERENCES["mine"], run)
    assert reference_document([row]).rows[0][-1].startswith("without a test part")
    assert "has no test result" in summary_html(run, read_record(run))
    assert "Watch or resume" not in summary_html(run, read_record(run))
    home = AppSettings(tmp_path / "data", tmp_path / "runs")
    with pytest.raises(DataError, match="This run has no test images"):
        mistakes(home, run, read_record(run))


def test_what_a_row_changes_and_what_a_reader_must_know_stand_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Reference(
        *("mine", "E", "one", "six_class", 0.265),
        metric="macro_f1",
        settings=("epochs=20",),
        note="when it <leaves> chance hangs on the seed",
        drawn_note="measured on drawn faces",
    )
    monkeypatch.setattr(references, "REFERENCES", {"mine": only})
    (tmp_path / "reference.csv").write_text(
        "name,ours,low,high,settings,state\nmine,0.111,0.075,0.15,whole,finished\n"
    )
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    assert "one (six_class, epochs=20)" in page
    assert "when it &lt;leaves&gt; chance hangs on the seed" in page
    assert "0.111<small>0.075 to 0.150</small><small>measured on drawn faces</small>" in page


def test_a_figure_of_a_part_or_an_unfinished_run_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Reference("mine", "C", "one", "quick", 0.5, small=("epochs=1",), small_note="one epoch")
    monkeypatch.setattr(references, "REFERENCES", {"mine": only})
    for settings, state, said in (
        ("whole", "finished", ""),
        ("part", "finished", "<small>one epoch</small>"),
        ("part", "stopped", "<small>one epoch; stopped</small>"),
    ):
        (tmp_path / "reference.csv").write_text(
            f"name,ours,low,high,settings,state\nmine,0.5,0.45,0.55,{settings},{state}\n"
        )
        page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
        assert f"50.00 %<small>45.00 % to 55.00 %</small>{said}</td>" in page


def test_a_run_on_photographs_of_ones_own_is_not_said_to_be_on_drawn_faces(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are its settings said to be changed: the recipe takes any folder."""
    only = Reference("mine", "E", "one", "mine", 0.5, drawn_note="measured on drawn faces")
    monkeypatch.setattr(references, "REFERENCES", {"mine": only})
    config = replace(tiny_config, recipe="mine", epochs=1)
    run = create_run(config, tmp_path / "runs", "own")
    execute_run(run)
    drawn = replace(config, data="drawn:six")
    monkeypatch.setattr(references, "find_recipe", lambda name: Recipe(name, "", "", drawn))
    page = reference_html(tmp_path / "runs", tmp_path / "reference.md")
    row = read_row(only, run)
    assert (row.settings, row.drawn) == ("whole", False)
    assert "measured on drawn faces" not in page
    assert "measured on drawn faces" not in reference_document([row]).rows[0][-1]
    assert "settings changed" not in page


def test_a_run_stands_at_the_row_whose_settings_it_has(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with the settings of none stands at the first row of its recipe."""
    rows = [
        Reference("plain", "B", "plain", "mine", 0.6),
        Reference("seed", "B", "seed", "mine", 0.6, settings=("seed=1",)),
    ]
    monkeypatch.setattr(references, "REFERENCES", {row.name: row for row in rows})
    config = replace(tiny_config, recipe="mine")
    monkeypatch.setattr(references, "find_recipe", lambda name: Recipe(name, "", "", config))
    create_run(replace(config, seed=1), tmp_path, "other-seed")
    found = rows_of_runs(tmp_path)
    assert {name: row.settings for name, row in found.items()} == {"seed": "whole"}
    create_run(replace(config, learning_rate=0.5), tmp_path, "changed")
    found = rows_of_runs(tmp_path)
    assert {name: row.settings for name, row in found.items()} == {
        "seed": "whole",
        "plain": "changed",
    }
    create_run(config, tmp_path, "own")
    assert rows_of_runs(tmp_path)["plain"].settings == "whole"


def test_a_machine_fitted_without_the_kernel_matrix_is_the_recipes_own(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    """As whoever presses Start with the recipe fits it; the row itself only takes less time."""
    only = Reference("mine", "D", "one", "svm_rbf", 0.4, settings=("model_options.gram=yes",))
    recipe = find_recipe("svm_rbf").config
    run = create_run(replace(recipe, data=tiny_config.data), tmp_path, "own")
    assert read_row(only, run).settings == "whole"
    costlier = replace(recipe, data=tiny_config.data, model_options={"C": 3.0})
    assert read_row(only, create_run(costlier, tmp_path, "other")).settings == "changed"
