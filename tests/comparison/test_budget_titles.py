"""What a comparison's contenders and runs are called, on the page and on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.comparison.budgets.equal_budget import (
    BudgetError,
    BudgetPlan,
    Contender,
    read_plan,
    save_plan,
)
from fer_core.paths import budgets_folder


def test_titles_and_run_names_tell_no_folder_and_stay_apart() -> None:
    one = Contender("expressnet", ("start_from=/home/me/secret/base", "epochs=5"))
    other = Contender("expressnet", ("start_from=/home/you/other/base", "epochs=5"))
    plan = BudgetPlan("fair", "seconds", 60, (one, other))
    assert list(plan.titles.values()) == [
        "expressnet start_from=base epochs=5",
        "expressnet start_from=base epochs=5 (2)",
    ]
    assert list(plan.titles) == list(plan.runs)
    assert not any("home" in name or "secret" in name for name in plan.runs)
    assert plan.to_dict()["contenders"][0] == one.title  # kept whole, to train by
    blank = Contender("expressnet", ("start_from =/home/me/secret/base",))
    assert blank.shown == "expressnet 'start_from =base'"
    two = Contender("quick", ("teachers=/home/me/a/one,/home/me/b/two",))
    assert two.portable == "quick teachers=a/one,b/two"


def test_a_kept_plan_keeps_the_names_of_its_runs(tmp_path: Path) -> None:
    plan = BudgetPlan(
        "race", "updates", 100, (Contender("quick"), Contender("quick", ("augment=none",)))
    )
    save_plan(plan, tmp_path)
    path = budgets_folder(tmp_path) / "race.json"
    kept = json.loads(path.read_text())
    kept["runs"] = ["race-as-named-before", "race-other"]
    path.write_text(json.dumps(kept))
    assert list(read_plan(tmp_path, "race").runs) == kept["runs"]
    assert list(read_plan(tmp_path, "race").titles) == kept["runs"]
    path.write_text(json.dumps({**kept, "runs": ["../elsewhere", "race-other"]}))
    with pytest.raises(BudgetError, match="cannot be read"):
        read_plan(tmp_path, "race")
