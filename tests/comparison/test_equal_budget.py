"""Plans of equal budgets: what they refuse, what each contender's run gets, and the way to it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fer_core.cli.parser import main
from fer_core.comparison.budgets import runs as budget_runs
from fer_core.comparison.budgets.equal_budget import (
    BudgetError,
    BudgetPlan,
    Common,
    Contender,
    list_plans,
    make_plan,
    parse_contender,
    plan_file,
    read_plan,
    save_plan,
)
from fer_core.comparison.budgets.runs import (
    budget_states,
    resume_budget,
    start_budget,
    stop_budget,
    updates_per_second,
)
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    Progress,
    append_epoch,
    read_epochs,
    read_progress,
    read_record,
    stored_progress,
    write_progress,
)

TINY = "'model_options={\"widths\": [4, 8, 8]}' batch_size=32 device=cpu"
PLAIN = (Contender("quick"), Contender("quick", ("augment=none",)))


def plan_of(kind: str = "epochs", amount: float = 2, *texts: str, **common: Any) -> BudgetPlan:
    contenders = [parse_contender(text) for text in texts] or PLAIN
    return make_plan("race", kind, amount, contenders, Common(**common))


def config_of(plan: BudgetPlan, place: int = 0, steps: int = 30, speed: float = 7.0) -> RunConfig:
    return plan.config(plan.contenders[place], lambda config: steps, lambda config: speed)


def no_launch(runs_folder: Path, device: str) -> None:
    """A worker that never comes."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("epochs", 2, "quick"), "needs 2 to 6 contenders, got 1"),
        (("epochs", 2, *["quick", "quick augment=none"] * 4), "needs 2 to 6 contenders, got 8"),
        (("epochs", 2, "quick", "quick"), "contender 2 .quick. is the same as an earlier one"),
        (("epochs", 2, "quick", "quick batch_size=64"), "is the same as an earlier one"),
        (("epochs", 2.5, "quick", "quick augment=none"), "must be a whole number, got 2.5"),
        (("epochs", 0, "quick", "quick augment=none"), "epochs must be 1 to"),
        (("updates", 10**9, "quick", "quick augment=none"), "updates must be 2 to"),
        (("seconds", float("nan"), "quick", "quick augment=none"), "seconds must be 1 to"),
        (("hours", 2, "quick", "quick augment=none"), "must be one of epochs, updates, seconds"),
        (("epochs", 2, "quick", "slow"), "unknown recipe 'slow'"),
        (("epochs", 2, "quick", "quick epochs=9"), "epochs is the same for all contenders"),
        (("updates", 9, "quick", "quick data=x"), "data is the same for all contenders"),
        (("seconds", 9, "quick", "quick max_seconds=4"), "max_seconds is the same for all"),
        (("epochs", 2, "quick", "quick lr=3"), "unknown setting 'lr'"),
        (("epochs", 2, "quick", "quick dropout"), "'dropout' is no field=value"),
        (("epochs", 2, "quick", "quick 'augment"), "open quote"),
        (("epochs", 2, "quick", " "), "got nothing"),
        (("epochs", 2, "quick", "svm_rbf"), "is fitted once"),
        (("updates", 90, "quick", "two_phase"), "trains in phases"),
        (("epochs", 1, "quick", "two_phase"), "has 2 phases and needs as many epochs"),
    ],
)
def test_what_is_no_fair_comparison_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        plan_of(*arguments)


def test_names_of_a_comparison_can_be_folders_and_are_short() -> None:
    assert make_plan("my race", "epochs", 2, PLAIN, Common()).name == "my-race"
    for name, message in (("../x", "takes letters"), ("x" * 31, "at most 30")):
        with pytest.raises(BudgetError, match=message):
            make_plan(name, "epochs", 2, PLAIN, Common())


def test_contenders_share_data_split_and_seed_and_keep_the_rest_of_their_recipe() -> None:
    plan = plan_of(
        "epochs", 3, "quick augment=none", "competition_baseline", data="faces.csv", seed=5
    )
    assert list(plan.runs) == ["race-quick-augment-none", "race-competition_baseline"]
    first, second = config_of(plan), config_of(plan, 1)
    for config in (first, second):
        assert (config.data, config.seed, config.epochs, config.max_updates) == (
            "faces.csv",
            5,
            3,
            0,
        )
    assert first.augment.flip_probability == 0
    assert (first.recipe, second.batch_size) == ("quick", 400)


def test_runs_whose_changes_look_alike_get_different_names() -> None:
    plan = plan_of("epochs", 2, "quick learning_rate=1e-3", "quick learning_rate=1e+0")
    plan = dataclasses.replace(plan, contenders=tuple(map(_long, plan.contenders)))
    assert len(set(plan.runs)) == 2
    assert all(len(name) <= 80 for name in plan.runs)


def _long(contender: Contender) -> Contender:
    """The same contender, its title longer than a run's name shows."""
    more = ("weight_decay=0.0123456789", "label_smoothing=0.0123456789")
    return dataclasses.replace(contender, settings=(*more, *contender.settings))


def test_the_same_updates_take_whole_epochs_that_hold_them() -> None:
    config = config_of(plan_of("updates", 100), steps=30)
    assert (config.max_updates, config.epochs, config.max_seconds) == (100, 4, 0)
    with pytest.raises(BudgetError, match="epochs, at most"):
        config_of(plan_of("updates", 1_000_000), steps=1)


def test_the_same_seconds_leave_room_and_fit_a_shaped_schedule_to_the_speed() -> None:
    plan = plan_of(
        "seconds", 20, "quick", "quick schedule=constant", "quick epochs=8 schedule=cosine"
    )
    shaped, constant, own = (config_of(plan, place, steps=30, speed=7.0) for place in range(3))
    assert (shaped.schedule, shaped.max_updates, shaped.epochs) == ("one_cycle", 140, 5)
    assert (constant.max_updates, constant.epochs) == (0, 10_000)
    assert (own.max_updates, own.epochs) == (0, 8)
    assert {config.max_seconds for config in (shaped, constant, own)} == {20.0}


def test_a_plan_is_read_as_it_was_kept(tmp_path: Path) -> None:
    plan = plan_of("updates", 100, f"quick {TINY}", "quick augment=none", train_share=0.5)
    save_plan(plan, tmp_path)
    assert read_plan(tmp_path, "race") == plan
    assert list_plans(tmp_path) == ["race"]
    for damage in (
        "[]",
        '{"kind": "epochs"}',
        '{"kind": "epochs", "amount": 2, "contenders": [1]}',
        '{"kind": "epochs", "amount": 2, "contenders": [null], "common": {}}',
        plan_file(tmp_path, "race").read_text().replace("100", "9" * 400, 1),
    ):
        plan_file(tmp_path, "race").write_text(damage)
        with pytest.raises(BudgetError, match="race"):
            read_plan(tmp_path, "race")
    with pytest.raises(BudgetError, match="no comparison named 'other'"):
        read_plan(tmp_path, "other")


def test_starting_queues_every_contender_behind_one_worker(tmp_path: Path) -> None:
    launched = []
    plan = plan_of("epochs", 2, "quick device=cpu", "quick augment=none device=cpu")
    made = start_budget(plan, tmp_path, launch=lambda folder, device: launched.append(device))
    assert [folder.name for folder in made] == list(plan.runs)
    assert [read_progress(folder).state for folder in made] == ["queued", "queued"]
    assert launched == ["cpu"]
    with pytest.raises(BudgetError, match="comparison named 'race' is there already"):
        start_budget(plan, tmp_path, launch=no_launch)


def test_nothing_is_made_when_a_run_has_the_name_already(tmp_path: Path) -> None:
    (tmp_path / "race-quick-augment-none").mkdir()
    with pytest.raises(BudgetError, match="a run named 'race-quick-augment-none'"):
        start_budget(plan_of(), tmp_path, launch=no_launch)
    assert list_plans(tmp_path) == []
    assert not (tmp_path / "race-quick").exists()


@pytest.mark.parametrize(
    ("kind", "amount", "share"), [("epochs", 4, 0.375), ("updates", 80, 0.5), ("seconds", 20, 0.4)]
)
def test_how_much_of_the_budget_is_spent(
    kind: str, amount: float, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_runs, "count_steps", lambda config: 20)
    plan = plan_of(kind, amount)
    folders = start_budget(plan, tmp_path, launch=no_launch, speed=lambda config: 7.0)
    append_epoch(folders[0], {"epoch": 1, "updates": 30, "train_seconds": 5.0})
    monkeypatch.setattr(
        budget_runs,
        "read_progress",
        lambda folder: (
            Progress("running", epoch=1, epochs=4, step=10, steps=20, seconds_left=12.0)
            if folder.name == "race-quick"
            else stored_progress(folder)
        ),
    )
    running, waiting = budget_states(plan, tmp_path)
    assert (running.state, running.share) == ("running", pytest.approx(share))
    assert (waiting.state, waiting.share) == ("queued", 0)


def test_a_comparison_stops_and_goes_on_as_a_whole(tmp_path: Path) -> None:
    plan = plan_of("epochs", 2, "quick device=cpu", "quick augment=none device=cpu")
    folders = start_budget(plan, tmp_path, launch=no_launch)
    write_progress(folders[0], Progress("finished"))
    assert stop_budget(plan, tmp_path) == 1
    assert [item.state for item in budget_states(plan, tmp_path)] == ["finished", "stopped"]
    with pytest.raises(BudgetError, match="running or waiting"):
        stop_budget(plan, tmp_path)
    assert resume_budget(plan, tmp_path, launch=no_launch) == 1
    assert read_progress(folders[1]).state == "queued"
    with pytest.raises(BudgetError, match="nothing of race was stopped"):
        resume_budget(plan, tmp_path, launch=no_launch)


def test_a_deleted_contender_is_missing_and_not_fatal(tmp_path: Path) -> None:
    plan = plan_of()
    save_plan(plan, tmp_path)
    assert [item.state for item in budget_states(plan, tmp_path)] == ["missing", "missing"]


def test_the_speed_is_measured_by_training(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_runs, "_REHEARSAL_SECONDS", 0.05)
    config = dataclasses.replace(tiny_config, epochs=100)
    assert 0.5 < updates_per_second(config) < 5_000


def test_without_a_verdict_json_has_the_states_of_the_contenders(
    tiny_csv: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget_runs, "work_off_budget", lambda *arguments: iter(()))
    command = [
        *("budget", "race", "--updates", "6", "--data", str(tiny_csv), "--work", "--json"),
        *("--contender", f"quick {TINY}", "--contender", f"quick augment=none {TINY}"),
        *("--runs", str(tmp_path / "runs")),
    ]
    assert main(command) == 1
    said = capsys.readouterr()
    states = [item["state"] for item in json.loads(said.out)["contenders"]]
    assert states == ["queued", "queued"]
    assert "2 of 2 have no result yet" in said.err


def test_from_the_command_to_the_verdict(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    command = [
        *("budget", "race", "--updates", "6", "--data", str(tiny_csv), "--seed", "3"),
        *("--contender", f"quick {TINY}", "--contender", f"quick augment=none {TINY}"),
        *("--runs", str(runs), "--work", "--json"),
    ]
    assert main(command) == 0
    values = json.loads(capsys.readouterr().out)
    assert [run["spent"]["updates"] for run in values["runs"]] == [6, 6]
    assert values["pairs"][0]["paired"]
    assert values["pairs"][0]["images"] == 42
    assert "updates" in values["same_budget"]
    plan = read_plan(runs, "race")
    folders = [RunFolder(runs / name) for name in plan.runs]
    assert [read_epochs(folder)[-1]["updates"] for folder in folders] == [6, 6]
    written = [folder.record.stat().st_mtime_ns for folder in folders]

    assert main(command) == 0  # again: nothing is trained twice
    assert json.loads(capsys.readouterr().out) == values
    assert [folder.record.stat().st_mtime_ns for folder in folders] == written

    assert main(["compare", *(str(folder.path) for folder in folders), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    record = read_record(folders[0])
    accuracy = {run["name"]: run["accuracy"] for run in compared["runs"]}
    assert accuracy[folders[0].name] == record["test"]["accuracy"]
    assert (
        compared["pairs"][0]["accuracy"]["p_value"] == (values["pairs"][0]["accuracy"]["p_value"])
    )

    other = [text.replace("--updates", "--epochs") for text in command]
    assert main(other) == 2
    assert "another plan is there already" in capsys.readouterr().err
    assert main(["budgets", "--runs", str(runs), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [item["state"] for item in listed[0]["contenders"]] == ["finished", "finished"]
    assert main(["budget-stop", "race", "--runs", str(runs)]) == 2
