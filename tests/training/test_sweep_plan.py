"""What a sweep varies: its grid, the names of its runs, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import (
    RunError,
)
from fer_core.training.sweep import MAX_RUNS, SweepError, plan_sweep, read_vary, split_values

BASE = RunConfig(recipe="quick", model="expressnet_demo", epochs=4, device="cpu")


GRID = {"learning_rate": ("1e-3", "1e-2"), "optimizer": ("sgd", "adam")}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1e-4, 3e-4,1e-3", ("1e-4", "3e-4", "1e-3")),
        ("[8,16],[16,32]", ("[8,16]", "[16,32]")),
        ('{"sad": "neutral", "fear": ""}', ('{"sad": "neutral", "fear": ""}',)),
        ("| disgust | disgust,fear", ("", "disgust", "disgust,fear")),
        ("a,,b,", ("a", "b")),
        (" ", ()),
    ],
)
def test_values_are_told_apart_by_commas_outside_brackets(
    text: str, values: tuple[str, ...]
) -> None:
    assert split_values(text) == values


def test_a_grid_has_every_combination_once_and_every_seed() -> None:
    sweep = plan_sweep("one", replace(BASE, seed=5), GRID, seeds=3)
    assert [cell.values for cell in sweep.cells] == [
        ("1e-3", "sgd"),
        ("1e-3", "adam"),
        ("1e-2", "sgd"),
        ("1e-2", "adam"),
    ]
    runs = sweep.runs()
    assert len({name for name, _, _ in runs}) == len(runs) == 12
    assert {seed for _, _, seed in runs} == {5, 6, 7}
    config = sweep.config(sweep.cells[3], 6)
    assert (config.learning_rate, config.optimizer, config.seed) == (0.01, "adam", 6)
    assert config.epochs == 4
    assert sweep.run_name(sweep.cells[3], 6) == "one-learning_rate-1e-2-adam-s6"


def test_strengths_policies_and_options_can_be_varied() -> None:
    vary = {"augment.flip_probability": ("0", "0.5"), "augment": ("none", "standard")}
    sweep = plan_sweep("one", BASE, vary)
    assert sweep.fields == ("augment", "augment.flip_probability")  # the whole before its part
    policies = [sweep.config(cell, 0).augment for cell in sweep.cells]
    assert [policy.flip_probability for policy in policies] == [0.0, 0.5, 0.0, 0.5]
    assert [policy.rotation_degrees > 0 for policy in policies] == [False, False, True, True]
    outputs = ("softmax", "sigmoid", "tanh")
    sweep = plan_sweep(
        "two", replace(BASE, model="class_targeted"), {"model_options.output": outputs}
    )
    found = [sweep.config(cell, 0).model_options["output"] for cell in sweep.cells]
    assert found == list(outputs)


def test_without_a_field_seeds_alone_repeat_the_base() -> None:
    sweep = plan_sweep("one", BASE, {}, seeds=2)
    assert [name for name, _, _ in sweep.runs()] == ["one-base-s0", "one-base-s1"]


def test_long_values_get_numbered_cells() -> None:
    many = "disgust,fear,surprise,angry,happy,neutral"
    vary = {"classes_left_out": (many, f"{many},sad,contempt,pain")}
    sweep = plan_sweep("one", BASE, vary)
    assert [cell.name for cell in sweep.cells] == ["cell1", "cell2"]


def test_the_names_of_runs_are_never_too_long_for_a_folder() -> None:
    name, base = "x" * 30, replace(BASE, seed=2_000_000_000)
    short = plan_sweep(name, base, {"learning_rate": ("1e-3", "2e-3")})
    assert [cell.name for cell in short.cells] == ["learning_rate-1e-3", "learning_rate-2e-3"]
    vary = {"learning_rate": ("1e-3", "2e-3"), "weight_decay": ("0.001", "0.0001")}
    longer = plan_sweep(name, base, vary)
    assert [cell.name for cell in longer.cells] == ["cell1", "cell2", "cell3", "cell4"]
    assert all(len(run) <= 80 for run, _, _ in longer.runs())


@pytest.mark.parametrize(
    ("vary", "seeds", "words"),
    [
        ({"learning_rate": ("1e-3", "fast")}, 1, "learning_rate must be a number"),
        ({"learning_rat": ("1e-3",)}, 1, "unknown setting 'learning_rat'"),
        ({"optimizer": ("adam", "magic")}, 1, "optimizer must be one of"),
        ({"optimizer": ()}, 1, "optimizer has no values"),
        ({"optimizer": ("adam", "adam")}, 1, "are the same run"),
        ({"learning_rate": ("0.001", "1e-3")}, 1, "are the same run"),
        ({"seed": ("1", "2")}, 1, "give the number of seeds"),
        ({"augment.flip_probability": ("0", "7")}, 1, "flip_probability must be 0 to 1"),
        ({"model_options.no_such": ("1", "2")}, 1, "no_such"),
        ({"batch_size": tuple(map(str, range(2, 203)))}, 1, "201 runs"),
        ({}, 0, "number of seeds must be 1 to"),
        ({}, 1.5, "number of seeds must be 1 to"),
    ],
)
def test_a_bad_grid_is_refused_as_a_whole(
    vary: dict[str, tuple[str, ...]], seeds: int, words: str
) -> None:
    with pytest.raises((SweepError, ConfigError), match=words):
        plan_sweep("one", BASE, vary, seeds)


def test_the_limit_is_the_last_number_that_is_allowed() -> None:
    values = tuple(map(str, range(2, 2 + MAX_RUNS)))
    assert len(plan_sweep("one", BASE, {"batch_size": values}).runs()) == MAX_RUNS


@pytest.mark.parametrize("name", ["", "../up", "a b", "x" * 31])
def test_names_that_are_no_folder_are_refused(name: str) -> None:
    with pytest.raises(RunError, match="name"):
        plan_sweep(name, BASE, GRID)


def test_a_field_that_every_phase_sets_cannot_be_varied() -> None:
    phases = ({"epochs": 1, "learning_rate": 0.01}, {"epochs": 1, "learning_rate": 0.001})
    base = replace(BASE, phases=phases)
    with pytest.raises(SweepError, match="would change nothing"):
        plan_sweep("one", base, {"learning_rate": ("1e-3", "1e-2")})
    assert len(plan_sweep("one", base, {"weight_decay": ("0", "0.1")}).cells) == 2


@pytest.mark.parametrize("texts", [["learning_rate"], ["=1,2"], ["epochs=1,2", "epochs=3"]])
def test_what_to_vary_must_be_field_and_values(texts: list[str]) -> None:
    with pytest.raises(SweepError):
        read_vary(texts)
