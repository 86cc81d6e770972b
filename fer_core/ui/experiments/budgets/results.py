"""An equal-budget comparison, or one of any finished runs, as the page shows it. Knows no Gradio.

Everything is read from the run folders; only verdicts are kept, for as long as their runs stay the
same, since testing several pairs takes seconds.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.comparison.budgets.equal_budget import BudgetError, BudgetPlan, list_plans, read_plan
from fer_core.comparison.budgets.runs import ContenderState, budget_states
from fer_core.comparison.budgets.spending import positions
from fer_core.comparison.budgets.verdict import MOST_RUNS, Comparison, compare_runs
from fer_core.comparison.kept_answers import answers_file
from fer_core.comparison.pairs import same_data
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.record import RunError, list_runs, read_epochs, read_record
from fer_core.ui.experiments.budgets.form import budget_command
from fer_core.ui.experiments.run_views import SHIPPED, find_entry
from fer_core.ui.shared.settings import AppSettings

#: The entry of the list of comparisons under which runs are chosen by hand.
BY_HAND = ""


@dataclass(frozen=True)
class Choice:
    """What is compared: runs are name on the page → folder. plan: None for runs chosen by hand.

    problem: why there is nothing, in words.
    """

    runs: Mapping[str, RunFolder]
    plan: BudgetPlan | None = None
    problem: str = ""

    @property
    def stamp(self) -> tuple[Any, ...]:
        """Changes when a result comes, goes or changes."""
        return (self.plan, tuple((name, _record_stamp(run)) for name, run in self.runs.items()))


@dataclass(frozen=True)
class Result:
    """comparison: None while fewer than two runs have a result; problem then says why, in words."""

    comparison: Comparison | None
    problem: str = ""


def stored_names(runs_folder: Path) -> list[str]:
    """The stored comparisons that can be read, newest first."""
    found = []
    for name in list_plans(runs_folder):
        try:
            read_plan(runs_folder, name)
        except RunError:
            continue
        found.append(name)
    return found


def scored_names(runs_folder: Path) -> list[str]:
    """Runs, newest first, and shipped checkpoints that have a test result."""
    runs = [run.name for run in list_runs(runs_folder) if run.record.is_file()]
    shipped = [
        f"{SHIPPED}{run.name}" for run in list_runs(SHIPPED_CHECKPOINTS) if run.record.is_file()
    ]
    return [*runs, *shipped]


def read_choice(settings: AppSettings, stored: Any, picked: Sequence[Any] | None) -> Choice:
    """The comparison chosen in the list, or with `BY_HAND` the runs picked below it."""
    if stored:
        try:
            plan = read_plan(settings.runs_folder, str(stored))
        except RunError as error:
            return Choice({}, problem=str(error))
        runs = {
            title: RunFolder(settings.runs_folder / name) for name, title in plan.titles.items()
        }
        return Choice(runs, plan)
    names = list(dict.fromkeys(picked or []))
    if len(names) > MOST_RUNS:
        return Choice({}, problem=f"At most {MOST_RUNS} runs are compared at once; take some out.")
    try:
        return Choice({str(name): find_entry(settings.runs_folder, name) for name in names})
    except RunError as error:
        return Choice({}, problem=str(error))


def read_result(choice: Choice) -> Result:
    """The verdict on those that have a test result, when they are at least two."""
    if choice.problem:
        return Result(None, choice.problem)
    scored = {name: run for name, run in choice.runs.items() if run.record.is_file()}
    if len(scored) < 2:
        return Result(None, _waiting_words(choice, len(scored)))
    try:
        return Result(_compare(choice.stamp, tuple(scored.items())))
    except RunError as error:
        return Result(None, str(error))


@functools.lru_cache(maxsize=16)
def _compare(stamp: tuple[Any, ...], scored: tuple[tuple[str, RunFolder], ...]) -> Comparison:
    """stamp: `Choice.stamp`, so that a changed result is read again."""
    plan: BudgetPlan | None = stamp[0]
    budget = (plan.kind, plan.amount) if plan else (None, None)
    return compare_runs(dict(scored), *budget)


def _waiting_words(choice: Choice, scored: int) -> str:
    if choice.plan is None:
        return "Choose at least two finished runs that were tested on the same set."
    if scored:
        return "One contender is finished; the verdict comes with the second."
    return "The verdict comes when two contenders are finished."


def _record_stamp(run: RunFolder) -> tuple[int, int]:
    """Of the record and the answers: the time of the last change, 0 when there is none."""
    return tuple(  # type: ignore[return-value]
        path.stat().st_mtime_ns if path.is_file() else 0 for path in (run.record, answers_file(run))
    )


def states_of(settings: AppSettings, choice: Choice) -> list[ContenderState]:
    """Where the contenders stand; nothing for runs chosen by hand, which are finished."""
    if choice.plan is None:
        return []
    return budget_states(choice.plan, settings.runs_folder)


def curves(choice: Choice, axis: str) -> dict[str, tuple[list[float], list[dict[str, Any]]]]:
    """Name → (where each epoch ended on the axis, its epochs)."""
    found = {}
    for name, run in choice.runs.items():
        epochs = read_epochs(run)
        places = positions(run, epochs, axis)
        found[name] = (places, epochs[: len(places)])
    return found


def compare_command(settings: AppSettings, choice: Choice) -> str:
    """The command that makes the same comparison."""
    if choice.plan is not None:
        return budget_command(choice.plan, settings.public, settings.runs_folder)
    folders = []
    for name in choice.runs:
        own = name.startswith(SHIPPED)
        parent = "checkpoints" if own else "runs" if settings.public else settings.runs_folder
        folders.append(f"{parent}/{name.removeprefix(SHIPPED) if own else name}")
    if len(folders) < 2:
        return ""
    return shlex.join(["python", "-m", "fer_core", "compare", *folders])


def chosen_first(runs_folder: Path) -> tuple[str, list[str]]:
    """What a visitor sees first: the newest stored comparison, else the best scored run and the
    best of those that were tested on the same set, of the set where there are two."""
    stored = stored_names(runs_folder)
    if stored:
        return stored[0], []
    names = scored_names(runs_folder)
    ranked = sorted(names, key=lambda name: -_accuracy(runs_folder, name))
    for place, best in enumerate(ranked):
        folder = find_entry(runs_folder, best).path
        for other in ranked[place + 1 :]:
            if same_data(folder, find_entry(runs_folder, other).path):
                return BY_HAND, [best, other]
    return BY_HAND, []


def _accuracy(runs_folder: Path, name: str) -> float:
    try:
        record = read_record(find_entry(runs_folder, name))
        return float(record["test"]["accuracy"])  # type: ignore[index]
    except (RunError, KeyError, TypeError, ValueError):
        return -1.0


def needed_plan(settings: AppSettings, stored: Any) -> BudgetPlan:
    """The stored comparison to stop or resume. BudgetError when none is chosen, or in public."""
    if settings.public:
        from fer_core.ui.train.live_run import CLOSED

        raise BudgetError(CLOSED)
    if not stored:
        raise BudgetError("choose a comparison in the list first")
    return read_plan(settings.runs_folder, str(stored))
