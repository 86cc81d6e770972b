"""compare, budget, budgets, budget-stop, budget-resume: runs against each other, with a verdict."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cli.arguments import DATA_HELP, add_runs, seed, whole_number
from fer_core.cli.execution import execute_all
from fer_core.cli.output import Command, progress_bar, read_data, show_result
from fer_core.runs.record import RunError

if TYPE_CHECKING:
    from fer_core.comparison.budgets.equal_budget import BudgetPlan
    from fer_core.comparison.budgets.runs import ContenderState
    from fer_core.paths import RunFolder


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    against = command(
        "compare", compare, "test finished runs against each other, image by image where they match"
    )
    against.add_argument(
        "folders", nargs="+", type=Path, metavar="RUN", help="two or more run folders"
    )
    against.add_argument(
        "--data",
        help="the set they were tested on: what has no stored predictions, like a shipped one, "
        "is asked about it first",
    )

    new = command(
        "budget", budget, "train contenders under one budget and compare them; again: goes on"
    )
    new.add_argument("name", help="the comparison's name")
    new.add_argument(
        "--contender",
        action="append",
        default=[],
        metavar='"RECIPE FIELD=VALUE …"',
        help='a recipe and its changes, such as "quick augment=none"; two or more',
    )
    amount = new.add_mutually_exclusive_group(required=True)
    amount.add_argument(
        "--epochs", type=whole_number(1), metavar="N", help="the same epochs for all"
    )
    amount.add_argument(
        "--updates", type=whole_number(1), metavar="N", help="the same updates for all"
    )
    amount.add_argument(
        "--seconds", type=float, metavar="S", help="the same seconds of training for all"
    )
    new.add_argument("--data", help=f"one data set for all: {DATA_HELP} (default: drawn)")
    new.add_argument("--split", choices=("source", "stratified"))
    new.add_argument("--validation-share", type=float)
    new.add_argument("--test-share", type=float)
    new.add_argument("--split-seed", type=seed)
    new.add_argument("--seed", type=seed)
    new.add_argument("--train-share", type=float, help="share of the training part")
    new.add_argument(
        "--work", action="store_true", help="execute the runs here, one by one; else the queue does"
    )
    add_runs(new)

    listing = command("budgets", budgets, "list the comparisons under one budget")
    add_runs(listing)
    for name, run, text in (
        ("budget-stop", stop, "stop what is running or waiting of a comparison"),
        ("budget-resume", resume, "queue again what was stopped, interrupted or failed"),
    ):
        parser = command(name, run, text)
        parser.add_argument("name", help="the comparison's name")
        add_runs(parser)


def compare(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.budgets.verdict import compare_runs
    from fer_core.comparison.budgets.words import comparison_dict
    from fer_core.paths import RunFolder
    from fer_core.runs.record import RunError, checked_record

    for path in chosen.folders:
        if not path.is_dir():
            raise RunError(f"there is no run folder {path}; name a folder under runs/")
    if len({path.resolve() for path in chosen.folders}) < len(chosen.folders):
        raise RunError("one run is given twice; choose different ones")
    names = [path.resolve().name for path in chosen.folders]
    if len(set(names)) < len(names):  # runs of one name under different folders
        names = [str(path) for path in chosen.folders]
    runs = {
        name: RunFolder(path.resolve()) for name, path in zip(names, chosen.folders, strict=True)
    }
    for run in runs.values():
        checked_record(run)
    if chosen.data:
        _ask(list(runs.values()), chosen.data)
    values = comparison_dict(compare_runs(runs))
    return show_result(chosen, values, _text(values))


def _ask(runs: list[RunFolder], data: str) -> None:
    """Those without stored predictions, one after the other."""
    from fer_core.comparison.kept_answers import ask, lacks_answers
    from fer_core.runs.checkpoint import load_checkpoint

    for run in runs:
        if lacks_answers(run):
            checkpoint = load_checkpoint(run.path)
            faces = read_data(data, checkpoint.preprocessing.image_size)
            update = progress_bar(run.name)
            for done, total in ask(checkpoint, faces):
                update(done, total)


def _images(row: dict[str, Any]) -> str:
    other = row["support_b"]
    return f"{row['support']}" if other in (None, row["support"]) else f"{row['support']} / {other}"


def _text(values: dict[str, Any]) -> str:
    from fer_core.comparison.wording import counted

    lines = [values["summary"]]
    lines += [f"  {sentence}" for pair in values["pairs"] for sentence in pair["sentences"]]
    lines += [f"warning: {text}" for text in values["warnings"]]
    for run in values["runs"]:
        spent = run["spent"]
        parts = [counted(spent["epochs"], "epoch")]
        parts += [counted(spent["updates"], "update")] if spent["updates"] else []
        parts += [f"{spent['seconds']:,.1f} s"] if spent["seconds"] else []
        parts += [f"{counted(spent['images'], 'image')} seen"] if spent["images"] else []
        lines.append(f"{run['name']}: {', '.join(parts)}")
    if len(values["pairs"]) == 1:
        pair = values["pairs"][0]
        for row in pair["classes"]:
            (one, two), (three, four) = row["recall"], row["f1"]
            recall, f1 = f"recall {one:.3f} against {two:.3f}", f"F1 {three:.3f} against {four:.3f}"
            if pair["same_set"]:
                recall, f1 = f"{recall} ({one - two:+.3f})", f"F1 {three - four:+.3f}"
            lines.append(f"  {row['label']:<10} {recall}  {f1}  images {_images(row)}")
    return "\n".join(lines)


def budget(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.budgets.runs import start_budget, take_up_budget
    from fer_core.comparison.wording import counted

    plan = _plan(chosen)
    if chosen.work:
        return _work(chosen, take_up_budget(plan, chosen.runs))
    made = start_budget(plan, chosen.runs)
    values = {"name": plan.name, "runs": [folder.name for folder in made]}
    names = "\n".join(f"  {name}" for name in values["runs"])
    queued = f"{counted(len(made), 'run')} put into the queue"
    return show_result(chosen, values, f"{plan.name}: {queued}\n{names}")


def _plan(chosen: argparse.Namespace) -> BudgetPlan:
    from dataclasses import fields

    from fer_core.comparison.budgets.equal_budget import KINDS, Common, make_plan, parse_contender

    kind = next(name for name in KINDS if getattr(chosen, name) is not None)
    given = {item.name: getattr(chosen, item.name) for item in fields(Common)}
    common = Common(**{name: value for name, value in given.items() if value is not None})
    contenders = [parse_contender(text) for text in chosen.contender]
    return make_plan(chosen.name, kind, getattr(chosen, kind), contenders, common)


def _work(chosen: argparse.Namespace, plan: BudgetPlan) -> int:
    """Execute what is not finished, a bar over the whole; then the verdict."""
    from dataclasses import asdict

    from tqdm import tqdm

    from fer_core.comparison.budgets.runs import budget_states, work_off_budget
    from fer_core.comparison.budgets.verdict import compare_runs
    from fer_core.comparison.budgets.words import comparison_dict
    from fer_core.paths import RunFolder

    bar = tqdm(total=100, unit=" %", desc=plan.name, disable=None)

    def states() -> list[ContenderState]:
        return budget_states(plan, chosen.runs)

    def refresh() -> None:
        now = states()
        bar.n = round(100 * sum(item.share for item in now) / len(now), 1)
        bar.refresh()

    work = work_off_budget(plan, chosen.runs, lambda progress: refresh())
    missing = len(plan.runs) - execute_all(work, len(plan.runs), bar, refresh).count("finished")
    if missing:
        print(f"{missing} of {len(plan.runs)} have no result yet", file=sys.stderr)
        if chosen.json:
            show_result(chosen, {"contenders": [asdict(item) for item in states()]}, "")
        return 1
    runs = {title: RunFolder(chosen.runs / name) for name, title in plan.titles.items()}
    values = comparison_dict(compare_runs(runs, plan.kind, plan.amount))
    return show_result(chosen, values, _text(values))


def budgets(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from fer_core.comparison.budgets.equal_budget import list_plans, read_plan
    from fer_core.comparison.budgets.runs import budget_states

    rows, lines = [], []
    for name in list_plans(chosen.runs):
        try:
            plan = read_plan(chosen.runs, name)
            states = budget_states(plan, chosen.runs)
        except RunError as error:  # one damaged plan hides no other
            print(f"{name}: {error}", file=sys.stderr)
            continue
        rows.append({**plan.to_dict(), "contenders": [asdict(item) for item in states]})
        lines.append(f"{name}: the same {plan.amount:g} {plan.kind}")
        lines += [f"  {item.run}: {item.state} {item.share:.0%}" for item in states]
    return show_result(chosen, rows, "\n".join(lines) or "no comparison yet; `budget` makes one")


def stop(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.budgets.equal_budget import read_plan
    from fer_core.comparison.budgets.runs import stop_budget
    from fer_core.comparison.wording import counted

    count = stop_budget(read_plan(chosen.runs, chosen.name), chosen.runs)
    said = f"{chosen.name}: {counted(count, 'run')} told to stop"
    return show_result(chosen, {"stopped": count}, said)


def resume(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.budgets.equal_budget import read_plan
    from fer_core.comparison.budgets.runs import resume_budget
    from fer_core.comparison.wording import counted

    count = resume_budget(read_plan(chosen.runs, chosen.name), chosen.runs)
    said = f"{chosen.name}: {counted(count, 'run')} back in the queue"
    return show_result(chosen, {"resumed": count}, said)
