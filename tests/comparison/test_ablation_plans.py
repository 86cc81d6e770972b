"""What the plan of an ablation turns on and off."""

from __future__ import annotations

import pytest

from fer_core.comparison.sweeps.ablation import (
    METHODS,
    PLANS,
    chosen_method,
    is_off,
    is_on,
    plan_ablation,
)
from fer_core.data.policies import POLICIES
from fer_core.runs.config import RunConfig
from fer_core.training.sweep import Cell, Sweep, SweepError

BASE = RunConfig(
    recipe="quick",
    model="expressnet_demo",
    augment=POLICIES["light"],  # flip, rotation and shift
    ema_decay=0.98,
    device="cpu",
)


def flags(sweep: Sweep, cell: Cell) -> str:
    pairs = zip(sweep.fields, cell.values, strict=True)
    return "".join("-" if is_off(sweep, field, value) else "x" for field, value in pairs)


@pytest.mark.parametrize(
    ("plan", "rows"),
    [
        ("leave_one_out", ["xxx", "-xx", "x-x", "xx-"]),
        ("one_at_a_time", ["---", "x--", "-x-", "--x"]),
        ("build_up", ["---", "x--", "xx-", "xxx"]),
    ],
)
def test_a_plan_turns_methods_on_and_off(plan: str, rows: list[str]) -> None:
    sweep = plan_ablation("one", BASE, ["flip", "ema_decay", "class_weights"], [plan])
    assert [flags(sweep, cell) for cell in sweep.cells] == rows
    configs = [sweep.config(cell, 0) for cell in sweep.cells]
    for row, config in zip(rows, configs, strict=True):
        on = [config.augment.flip_probability > 0, config.ema_decay > 0, config.class_weights]
        assert "".join("x" if part else "-" for part in on) == row
        assert config.augment.rotation_degrees == POLICIES["light"].rotation_degrees


def test_plans_together_hold_each_combination_once() -> None:
    sweep = plan_ablation("one", BASE, ["flip", "ema_decay"], list(PLANS))
    found = [flags(sweep, cell) for cell in sweep.cells]
    assert sorted(found) == ["--", "-x", "x-", "xx"]
    assert sweep.cells[0].name == "all"
    assert sweep.methods == ("mirror images", "weight averaging")
    assert sweep.kind == "ablation"


def test_what_the_base_has_stays_and_the_rest_gets_its_usual_strength() -> None:
    method, strength = chosen_method(BASE, "ema_decay")
    assert (method.name, strength) == ("ema_decay", None)
    assert chosen_method(BASE, "label_smoothing")[1] == METHODS["label_smoothing"].on
    assert chosen_method(BASE, "label_smoothing=0.05")[1] == "0.05"
    assert chosen_method(BASE, "augment.flip_probability")[0] is METHODS["flip"]
    sweep = plan_ablation("one", BASE, ["ema_decay", "label_smoothing=0.05"])
    everything = sweep.config(sweep.cells[0], 0)
    assert (everything.ema_decay, everything.label_smoothing) == (0.98, 0.05)


def test_a_setting_without_an_entry_is_turned_off_by_its_kind() -> None:
    method, strength = chosen_method(BASE, "model_options.dropout=0.3")
    assert (method.off, strength) == ("0", "0.3")
    sweep = plan_ablation("one", BASE, ["model_options.dropout=0.3"])
    dropouts = [sweep.config(cell, 0).model_options["dropout"] for cell in sweep.cells]
    assert dropouts == [0.3, 0]


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_can_be_turned_off_and_on(name: str) -> None:
    method = METHODS[name]
    off = BASE.with_settings([f"{method.field}={method.off}"])
    assert not is_on(off, method)
    if method.on is not None:
        assert is_on(off.with_settings([f"{method.field}={method.on}"]), method)


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        ([], "at least one method"),
        (["magic"], "'magic' is no method"),
        (["optimizer"], "'optimizer' is no method"),
        (["epochs.foo"], "epochs has no parts"),
        (["magic.foo"], "'magic.foo' is no method"),
        (["flip", "augment.flip_probability"], "named twice"),
        (["augment", "flip"], "cannot stand beside flip"),
        (["label_smoothing=0"], "turned off; give its strength"),
        (["start_from"], "say what it is: start_from="),
    ],
)
def test_methods_that_make_no_ablation_are_refused(methods: list[str], words: str) -> None:
    with pytest.raises(SweepError, match=words):
        plan_ablation("one", BASE, methods)


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(SweepError, match="the plan must be some of"):
        plan_ablation("one", BASE, ["flip"], ["backwards"])


def test_mixing_votes_sharp_steps_and_teachers_can_be_left_out() -> None:
    methods = ["mixup", "cutmix=0.5", "votes=0.3", "sharpness", "teachers=checkpoints/one"]
    sweep = plan_ablation("learning", BASE, methods)
    fields = ("mixup_alpha", "cutmix_alpha", "votes_share", "sharpness_radius", "teachers")
    assert sweep.fields == fields
    rows = {cell.name: cell.values for cell in sweep.cells}
    assert rows["all"] == ("0.2", "0.5", "0.3", "0.05", "checkpoints/one")
    assert rows["no-teachers"] == ("0.2", "0.5", "0.3", "0.05", "")
    assert rows["no-mixup"][0] == rows["no-votes"][2] == "0"
    with pytest.raises(SweepError, match="the base has no teachers; say what it is"):
        plan_ablation("learning", BASE, ["teachers"])
