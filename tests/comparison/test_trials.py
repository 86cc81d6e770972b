"""The table of single changes: what it says of each run, and where it is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.cli import main
from fer_core.comparison.trials import differences, put_trials, trial_document
from fer_core.data.policies import AugmentPolicy
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import RunError, read_record, write_json
from fer_core.training.job import create_run
from fer_core.training.run import execute_run


@pytest.fixture
def runs(tiny_config: RunConfig, tmp_path: Path) -> list[RunFolder]:
    config = replace(tiny_config, epochs=3)
    changed = replace(config, learning_rate=1e-7)
    made = []
    for name, one in (("base", config), ("slow", changed)):
        made.append(create_run(one, tmp_path / "runs", name))
        execute_run(made[-1])
    return made


def test_every_setting_that_differs_is_named(tiny_config: RunConfig) -> None:
    other = replace(
        tiny_config,
        learning_rate=0.5,
        drop_duplicates=True,
        model_options={"widths": [4, 8, 16], "dropout": 0.3},
        augment=AugmentPolicy(flip_probability=0.5),
        teachers=("/some/where/base",),
    )
    assert differences(tiny_config, tiny_config) == []
    assert set(differences(tiny_config, other)) == {
        "learning_rate 0.01 → 0.5",
        "drop_duplicates no → yes",
        "widths 4, 8, 8 → 4, 8, 16",
        "dropout its own → 0.3",
        "flip_probability 0 → 0.5",
        "teachers none → base",
    }


def test_the_rows_are_those_of_the_records(runs: list[RunFolder]) -> None:
    base, slow = runs
    document = trial_document(base, [slow], "Rates")
    accuracies = [read_record(run)["validation"]["accuracy"] for run in runs]
    plain = pd.DataFrame(document.plain_rows, columns=document.plain_headers)
    assert plain["validation_accuracy"].tolist() == accuracies
    assert plain["difference"][1] == pytest.approx(accuracies[1] - accuracies[0])
    assert document.rows[0][1] == "the baseline"
    assert document.rows[1][1] == "learning_rate 0.01 → 1e-07"
    assert 0 <= plain["p_value"][1] <= 1


def test_the_difference_is_that_of_the_shared_images(runs: list[RunFolder]) -> None:
    base, slow = runs
    answers = pd.read_parquet(base.predictions)
    columns = [name for name in answers if name.startswith("probability_")]
    mine = np.flatnonzero(answers["split"] == "validation")
    for run, right in ((base, 20), (slow, 30)):  # the first so many of 42
        said = answers["label"].to_numpy().copy()
        said[mine[right:]] = (said[mine[right:]] + 1) % 7
        answers[columns] = np.eye(7)[said]
        kept = answers.drop(index=mine[-10:]) if run == slow else answers
        kept.to_parquet(run.predictions)
    document = trial_document(base, [slow], "Rates")
    plain = pd.DataFrame(document.plain_rows, columns=document.plain_headers)
    assert plain["difference"][1] == pytest.approx(10 / 32)


def test_a_run_with_fewer_images_is_said_to_have_them(runs: list[RunFolder]) -> None:
    base, slow = runs
    assert "the same validation images" not in trial_document(base, [slow], "Rates").notes[0]
    answers = pd.read_parquet(slow.predictions)
    mine = np.flatnonzero(answers["split"] == "validation")
    answers.drop(index=answers.index[mine[:2]]).to_parquet(slow.predictions)
    record = read_record(slow)
    record["validation"]["n"] = len(mine) - 2
    write_json(slow.record, record)
    (note,) = trial_document(base, [slow], "Rates").notes
    assert f"slow has {len(mine) - 2} and shares {len(mine) - 2} of them" in note


def test_a_table_is_renewed_in_its_place(runs: list[RunFolder], tmp_path: Path) -> None:
    base, slow = runs
    file = tmp_path / "experiments.md"
    file.write_text("# Log\n\nWords before.\n")
    put_trials(file, "rates", trial_document(base, [], "Rates"))
    file.write_text(file.read_text() + "\nWords after.\n")
    command = ["trials", str(base.path), str(slow.path), "--mark", "rates", "--out", str(file)]
    assert main(command) == 0
    text = file.read_text()
    assert text.startswith("# Log\n\nWords before.\n")
    assert text.endswith("Words after.\n")
    assert text.count("<!-- trials: rates -->") == 1
    assert "| slow |" in text


def test_an_unfinished_run_is_refused(
    runs: list[RunFolder], tiny_config: RunConfig, tmp_path: Path
) -> None:
    waiting = create_run(tiny_config, tmp_path / "runs", "waiting")
    with pytest.raises(RunError, match="is no finished run"):
        trial_document(runs[0], [waiting], "Rates")
