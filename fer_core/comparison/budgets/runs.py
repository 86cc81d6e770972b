"""The runs of an equal-budget comparison: queue them, see how far they are, stop, resume, work off.

What is known about them is read from their folders every time.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from fer_core.comparison.budgets.equal_budget import (
    BudgetError,
    BudgetPlan,
    count_steps,
    plan_file,
    read_plan,
    save_plan,
)
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import Progress, read_epochs, read_progress
from fer_core.training.dataset import load_run_data
from fer_core.training.devices import choose_device
from fer_core.training.epoch import Stopped
from fer_core.training.job import Launch, ensure_worker
from fer_core.training.loop import Training
from fer_core.training.planned_runs import (
    MISSING,
    Plan,
    check_devices,
    queue_runs,
    resume_runs,
    stop_runs,
    work_off,
)

#: How long a rehearsal trains, and how many of its first steps do not count.
_REHEARSAL_SECONDS = 2.0
_WARM_UP_STEPS = 2


@dataclass(frozen=True)
class ContenderState:
    """Where one contender stands: state of its run or MISSING; share of its budget that is spent.

    seconds_left is None while nobody can know it.
    """

    title: str
    run: str
    state: str
    share: float
    reason: str = ""
    seconds_left: float | None = None


def start_budget(
    plan: BudgetPlan,
    runs_folder: Path,
    launch: Launch = ensure_worker,
    speed: Callable[[RunConfig], float] | None = None,
) -> list[RunFolder]:
    """Keep the plan and queue a run for each contender. BudgetError, and nothing made, when a name
    is taken or the machine lacks a device. speed: see `BudgetPlan.config`; measured by default."""
    runs_folder = Path(runs_folder)
    if plan_file(runs_folder, plan.name).exists():
        raise BudgetError(f"a comparison named {plan.name!r} is there already; choose another name")
    for name in plan.runs:
        if (runs_folder / name).exists():
            raise BudgetError(f"a run named {name!r} is there already; choose another name")
    planned = _planned(plan, speed or updates_per_second)
    configs = {name: settings() for name, settings in planned.items()}
    check_devices(configs.values(), BudgetError)
    save_plan(plan, runs_folder)
    return queue_runs(configs, runs_folder, launch)


def _planned(plan: BudgetPlan, speed: Callable[[RunConfig], float]) -> Plan:
    return {
        name: functools.partial(plan.config, contender, count_steps, speed)
        for name, contender in plan.runs.items()
    }


def updates_per_second(config: RunConfig) -> float:
    """Measured here and now by training for about two seconds; nothing is kept."""
    check_devices([config], BudgetError)
    training = Training(config, load_run_data(config), choose_device(config.device))
    taken: list[float] = []  # seconds of every step but an epoch's first, which follows validation
    last = 0.0

    def on_step(step: int, images: int) -> None:
        nonlocal last
        if training.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        if step > 1:
            taken.append(now - last)
        last = now

    def long_enough() -> bool:
        return sum(taken[_WARM_UP_STEPS:]) >= _REHEARSAL_SECONDS

    try:
        for _ in training.epochs(on_step, long_enough):
            if training.train_seconds >= _REHEARSAL_SECONDS:
                break
    except Stopped:
        pass
    except (RuntimeError, FloatingPointError, MemoryError) as error:
        raise BudgetError(
            f"the speed of {config.recipe} could not be measured: {error}; choose the same epochs "
            "or updates, or write epochs=… among its changes"
        ) from error
    counted = taken[_WARM_UP_STEPS:]
    if not counted:
        return training.updates / max(training.train_seconds, 1e-3)
    return len(counted) / sum(counted)


def budget_states(plan: BudgetPlan, runs_folder: Path) -> list[ContenderState]:
    """Every contender's run as its folder shows it now."""
    return [
        _state(plan, RunFolder(Path(runs_folder) / name), title)
        for name, title in plan.titles.items()
    ]


def _state(plan: BudgetPlan, folder: RunFolder, title: str) -> ContenderState:
    if not folder.config.is_file():
        return ContenderState(title, folder.name, MISSING, 0.0, "it was deleted")
    progress = read_progress(folder)
    return ContenderState(
        title,
        folder.name,
        progress.state,
        _share(plan, folder, progress),
        progress.reason,
        progress.seconds_left,
    )


def _share(plan: BudgetPlan, folder: RunFolder, progress: Progress) -> float:
    if progress.state == "finished":
        return 1.0
    epochs = read_epochs(folder)
    last = epochs[-1] if epochs else {}
    running = progress.state == "running"
    step = progress.step if running else 0
    if plan.kind == "epochs":
        spent = len(epochs) + (step / progress.steps if progress.steps else 0)
    elif plan.kind == "updates":
        spent = last.get("updates", 0) + step
    else:
        spent = last.get("train_seconds", 0.0)
        if running and progress.seconds_left is not None:
            spent = max(spent, plan.amount - progress.seconds_left)
    return max(0.0, min(1.0, spent / plan.amount))


def stop_budget(plan: BudgetPlan, runs_folder: Path) -> int:
    """Take waiting contenders out of the queue and stop the running one; returns how many."""
    stopped = stop_runs(_folders(plan, runs_folder).values())
    if not stopped:
        raise BudgetError(f"nothing of {plan.name} is running or waiting")
    return stopped


def resume_budget(plan: BudgetPlan, runs_folder: Path, launch: Launch = ensure_worker) -> int:
    """Queue again what was stopped, interrupted, failed or deleted; returns how many."""
    resumed = resume_runs(_planned(plan, updates_per_second), runs_folder, launch)
    if not resumed:
        raise BudgetError(f"nothing of {plan.name} was stopped")
    return resumed


def _folders(plan: BudgetPlan, runs_folder: Path) -> dict[str, RunFolder]:
    """Run → its folder, for those that are there."""
    folders = {name: RunFolder(Path(runs_folder) / name) for name in plan.runs}
    return {name: folder for name, folder in folders.items() if folder.config.is_file()}


def take_up_budget(plan: BudgetPlan, runs_folder: Path) -> BudgetPlan:
    """The stored plan, made now if it is new, its runs queued but no worker started.

    A comparison of the same name and plan is gone on with; BudgetError when the plan differs.
    """
    if not plan_file(runs_folder, plan.name).is_file():
        start_budget(plan, runs_folder, launch=lambda folder, device: None)
        return plan
    if read_plan(runs_folder, plan.name) != plan:
        raise BudgetError(
            f"a comparison named {plan.name!r} with another plan is there already; "
            "choose another name"
        )
    return plan


def work_off_budget(
    plan: BudgetPlan, runs_folder: Path, show: Callable[[Progress], None] = lambda progress: None
) -> Iterator[tuple[str, Progress]]:
    """As `work_off`; BusyRun when another process works on a contender, because the same seconds
    are fair only one by one."""
    return work_off(_planned(plan, updates_per_second), runs_folder, show)
