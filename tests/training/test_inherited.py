"""Runs that met their held-out images before: what is counted, and that every place says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.comparison.entrants import fairness_warnings, read_entrant
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.inherited import inherited_words
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import read_record
from fer_core.training.dataset import load_run_data
from fer_core.training.inherited import inherited_images
from fer_core.training.job import create_run
from fer_core.training.run import execute_run
from fer_core.ui.experiments.run_board import FLATTERED, INTERVAL, read_board
from fer_core.ui.experiments.run_views import test_sentence as result_sentence


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = create_run(_config(), tmp_path_factory.mktemp("runs"), "first")
    assert execute_run(folder).state == "finished"
    return folder


def _config(**changes: object) -> RunConfig:
    base = RunConfig(data="drawn:140", model="expressnet_demo", epochs=1, device="cpu")
    return replace(base, split="stratified", split_seed=1, **changes)


@pytest.mark.parametrize("role", ["start_from", "teachers"])
def test_images_that_the_start_or_a_teacher_learned_from_are_counted(
    first: RunFolder, role: str
) -> None:
    given = str(first.path) if role == "start_from" else (str(first.path),)
    same = _config(**{role: given})
    assert inherited_images(same, load_run_data(same).split) == {}
    other = replace(same, split_seed=2)
    split, before = load_run_data(other).split, load_run_data(_config()).split
    found = inherited_images(other, split)
    assert found == {
        part: len(np.intersect1d(getattr(split, part), before.train))
        for part in ("validation", "test")
    }
    assert found["test"] > len(split.test) / 2  # 72 % of the set were training images


def test_the_start_of_a_start_counts_and_another_set_does_not(first: RunFolder) -> None:
    parent = first.path.parent
    second = create_run(_config(start_from=str(first.path)), parent, "second")
    execute_run(second)
    third = replace(_config(start_from=str(second.path)), split_seed=3)
    direct = replace(third, start_from=str(first.path))
    split = load_run_data(third).split
    assert inherited_images(third, split) == inherited_images(direct, split) != {}
    elsewhere = replace(third, data="drawn:154")
    assert inherited_images(elsewhere, load_run_data(elsewhere).split) == {}


def test_a_checkpoint_that_cannot_be_read_counts_nothing(first: RunFolder) -> None:
    config = _config(teachers=(str(first.path.parent / "nowhere"),))
    assert inherited_images(config, load_run_data(config).split) == {}


def test_log_record_card_leaderboard_and_comparison_say_it(first: RunFolder) -> None:
    runs = first.path.parent
    flattered = create_run(
        replace(_config(start_from=str(first.path)), split_seed=2), runs, "flattered"
    )
    execute_run(flattered)
    record = read_record(flattered)
    told = inherited_words(record["data"])
    number = record["data"]["inherited"]["test"]
    assert told.startswith(f"{number} of the {record['test']['n']} test images and ")
    assert told in flattered.log.read_text()
    assert told in flattered.card.read_text()
    assert told in result_sentence(record)
    marks = leaderboard(runs).set_index("name")["flattered"]
    assert marks["flattered"]
    assert not marks["first"]
    table = read_board(runs).table.set_index("Name")[INTERVAL]
    assert table["flattered"].endswith(FLATTERED)
    assert not table["first"].endswith(FLATTERED)
    entrants = [read_entrant(first), read_entrant(flattered)]
    assert f"flattered: {told}" in fairness_warnings(entrants)
    assert inherited_words(read_record(first)["data"]) == ""
