"""The form of an equal-budget comparison without its widgets: values → `BudgetPlan`, in words."""

from __future__ import annotations

import html
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_core.comparison.budgets.equal_budget import (
    KINDS,
    BudgetError,
    BudgetPlan,
    Common,
    Contender,
    make_plan,
    parse_contender,
)
from fer_core.comparison.budgets.runs import start_budget
from fer_core.data.policies import POLICIES
from fer_core.paths import DEFAULT_RUNS
from fer_core.runs.shipping import portable_source
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.live_run import CLOSED
from fer_core.ui.train.run_form import DATA_FIELDS, LONGEST_TEXT

AS_RECIPE = "recipe"
#: (label, value) of a contender's augmentation list.
AUGMENTATIONS = (
    ("as the recipe has it", AS_RECIPE),
    *((f"{name}: images as they are" if name == "none" else name, name) for name in POLICIES),
)
#: Kind → (words of the choice, first amount, label of the amount).
BUDGETS: dict[str, tuple[str, int, str]] = {
    "epochs": ("the same epochs", 10, "Epochs of each"),
    "updates": ("the same updates", 500, "Updates of each"),
    "seconds": ("the same seconds", 60, "Seconds of training of each"),
}
_SECONDS_NOTE = (
    "Training runs one contender after another, so each has the machine for itself; keep other "
    "work away from it meanwhile. A schedule that rises and falls needs to know its length: the "
    "speed is measured for two seconds when you start, and such a contender ends at the update "
    "where its schedule does, at the latest when its seconds are over. Write "
    "<code>epochs=…</code> among its changes to set the length yourself; where the seconds are "
    "over sooner, the schedule hurries and ends with them."
)
#: Kind → what a start does before the runs wait in the queue, "" where that takes no time.
STARTING = {
    "epochs": "",
    "updates": "Reading the images, to count the updates of an epoch …",
    "seconds": "Reading the images, then training contenders for two seconds each to measure their "
    "speed …",
}

#: One line of the form: recipe, augmentation, other changes.
Line = tuple[Any, Any, Any]


def read_budget_form(
    name: Any,
    kind: Any,
    amount: Any,
    lines: Sequence[Line],
    data: Mapping[str, Any] | None,
    seed: Any,
    share: Any,
) -> BudgetPlan:
    """The plan behind the widgets' values. share: percent of the training images.

    BudgetError in words when they make none.
    """
    if kind not in KINDS:
        raise BudgetError(f"choose what is the same for all: {', '.join(KINDS)}")
    for value, what in ((amount, BUDGETS[kind][2]), (seed, "Seed"), (share, "Training images")):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BudgetError(f"{what} must be a number, got {value or 'nothing'}")
    if not str(name or "").strip():
        raise BudgetError("the comparison needs a name; type one, such as plain-or-augmented")
    common = {field: data[part] for part, field in DATA_FIELDS.items() if part in (data or {})}
    common |= {"seed": int(seed), "train_share": share / 100}
    return make_plan(
        str(name), kind, amount, [_contender(line) for line in lines], Common(**common)
    )


def _contender(line: Line) -> Contender:
    recipe, augmentation, changes = line
    text = str(changes or "")
    if len(text) > LONGEST_TEXT:
        raise BudgetError(f"changes take at most {LONGEST_TEXT:,} characters, got {len(text):,}")
    own = parse_contender(f"{shlex.quote(str(recipe or ''))} {text}")
    if augmentation in (None, AS_RECIPE):
        return own
    if augmentation not in POLICIES:
        raise BudgetError(f"the augmentation must be one of {', '.join(POLICIES)}")
    return Contender(own.recipe, (f"augment={augmentation}", *own.settings))


def suggested_name(kind: Any, names: Sequence[str]) -> str:
    """A name that is not taken: "epochs-1", "epochs-2", …"""
    stem = kind if kind in KINDS else "budget"
    taken = set(names)
    return next(
        f"{stem}-{number}" for number in range(1, 10_000) if f"{stem}-{number}" not in taken
    )


def preview_html(plan: BudgetPlan) -> str:
    """What will be trained, under which names."""
    rows = "".join(
        f"<tr><td>{html.escape(title)}</td><td>{html.escape(run)}</td></tr>"
        for run, title in plan.titles.items()
    )
    note = f"<p class='note'>{_SECONDS_NOTE}</p>" if plan.kind == "seconds" else ""
    return (
        "<div class='plain-table texts'><table><thead><tr><th>Contender</th><th>Its run</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>{note}"
    )


def budget_command(
    plan: BudgetPlan, hide_path: bool = False, runs_folder: Path = DEFAULT_RUNS
) -> str:
    """The command that makes the same comparison among the runs of that folder.

    hide_path: no folder of the owner in it.
    """
    common, usual = plan.common, Common()
    data = portable_source(common.data) if hide_path else common.data
    words = ["python", "-m", "fer_core", "budget", plan.name]
    for contender in plan.contenders:
        words += ["--contender", contender.portable if hide_path else contender.title]
    words += [f"--{plan.kind}", f"{plan.amount:.15g}", "--data", data]
    for field in ("split", "validation_share", "test_share", "split_seed", "seed", "train_share"):
        if getattr(common, field) != getattr(usual, field):
            words += [f"--{field.replace('_', '-')}", f"{getattr(common, field)}"]
    words += ["--work"]
    if runs_folder != DEFAULT_RUNS and not hide_path:
        words += ["--runs", str(runs_folder)]
    return shlex.join(words)


def form_preview(settings: AppSettings, *values: Any) -> tuple[str, str, str]:
    """(message, table, command) for the form as it stands; values: those of `read_budget_form`."""
    closed = CLOSED if settings.public else ""
    try:
        plan = read_budget_form(*values)
    except BudgetError as error:
        return closed or f"⚠️ **This cannot start:** {plain(error)}", "", ""
    command = budget_command(plan, settings.public, settings.runs_folder)
    return closed, preview_html(plan), command


def start_from_budget_form(settings: AppSettings, *values: Any) -> BudgetPlan:
    """Queue the runs. BudgetError on a published page, or when the plan cannot be used."""
    if settings.public:
        raise BudgetError(CLOSED)
    plan = read_budget_form(*values)
    start_budget(plan, settings.runs_folder)
    return plan
