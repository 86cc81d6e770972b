"""Commands: sweeps and ablations: one grid of runs, one table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fer_core.cli.arguments import add_runs, add_settings, chosen_config, whole_number
from fer_core.cli.execution import execute_all
from fer_core.cli.output import Command, show_result

if TYPE_CHECKING:
    from fer_core.training.sweep import Sweep


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    new = command("sweep", sweep, "queue one run for every combination of chosen values")
    _add_plan_arguments(new)
    new.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="FIELD=A,B",
        help="a setting and its values; with | between them a value may hold commas; repeatable",
    )

    ablation = command(
        "ablate", ablate, "queue runs that turn methods on and off, for an ablation table"
    )
    _add_plan_arguments(ablation)
    ablation.add_argument(
        "--methods",
        required=True,
        metavar="A,B",
        help="such as flip,label_smoothing=0.05,class_weights; `ablation-methods` lists them",
    )
    ablation.add_argument(
        "--plan",
        default="leave_one_out",
        metavar="A,B",
        help="leave_one_out, one_at_a_time, build_up, or several of them",
    )
    command("ablation-methods", methods, "list the methods that `ablate` turns on and off")

    table = command("sweep-table", sweep_table, "write a sweep's table from its run folders")
    _add_name(table)
    table.add_argument("--format", default="markdown", choices=("markdown", "csv", "latex"))
    table.add_argument(
        "--table",
        choices=("results", "ablation"),
        help="results of each cell, or methods yes/no (default: as the sweep was made)",
    )
    table.add_argument(
        "--order",
        default="validation",
        choices=("validation", "test", "macro_f1", "seconds", "plan"),
        help="what the rows of the results are sorted by",
    )

    listing = command("sweeps", sweeps, "list the sweeps and how far they are")
    add_runs(listing)
    for name, run, text in (
        ("sweep-stop", stop, "stop what is running or waiting of a sweep"),
        ("sweep-resume", resume, "queue again what was stopped, interrupted or failed"),
        ("sweep-delete", delete, "delete a sweep with all of its runs"),
    ):
        parser = command(name, run, text)
        _add_name(parser)
        if run is delete:
            parser.add_argument(
                "--yes", action="store_true", help="required, since it cannot be undone"
            )


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the sweep's name")
    add_runs(parser)


def _add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    add_settings(parser, "a change that all runs share; repeatable")
    parser.add_argument("--seeds", type=whole_number(1), default=1, help="runs of each cell (1)")
    parser.add_argument(
        "--work",
        action="store_true",
        help="execute the runs here, one after another; the same command again goes on after an "
        "interruption",
    )
    parser.add_argument("--dry-run", action="store_true", help="check and show the plan only")


def sweep(chosen: argparse.Namespace) -> int:
    from fer_core.training.sweep import plan_sweep, read_vary

    plan = plan_sweep(chosen.name, chosen_config(chosen), read_vary(chosen.vary), chosen.seeds)
    return _queue_or_work(chosen, plan)


def ablate(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.sweeps.ablation import plan_ablation
    from fer_core.training.sweep import split_values

    names, plans = split_values(chosen.methods), split_values(chosen.plan)
    plan = plan_ablation(chosen.name, chosen_config(chosen), names, plans, chosen.seeds)
    return _queue_or_work(chosen, plan)


def _queue_or_work(chosen: argparse.Namespace, plan: Sweep) -> int:
    from fer_core.comparison.wording import counted
    from fer_core.training.sweep_queue import check_free, start_sweep, take_up_sweep

    names = [name for name, _, _ in plan.runs()]
    values: dict[str, Any] = {"name": plan.name, "cells": len(plan.cells), "runs": names}
    cells, seeds = counted(len(plan.cells), "cell"), counted(len(plan.seeds), "seed")
    shape = f"{counted(len(names), 'run')}: {cells} × {seeds}"
    if chosen.dry_run:
        check_free(plan, chosen.runs)
        return show_result(chosen, values, "\n".join([f"{plan.name} would be {shape}", *names]))
    if chosen.work:
        return _work(chosen, take_up_sweep(plan, chosen.runs))
    start_sweep(plan, chosen.runs)
    text = f"{plan.name} is in the queue, {shape}; see: {_table_command(chosen)}"
    return show_result(chosen, values, text)


def _work(chosen: argparse.Namespace, plan: Sweep) -> int:
    """Execute what is not finished, a bar over all epochs and one line per run; then the table."""
    from tqdm import tqdm

    from fer_core.training.sweep_queue import sweep_progress, work_off_sweep

    start = sweep_progress(plan, chosen.runs)
    bar = tqdm(total=start.epochs, initial=start.epochs_done, unit=" epochs", disable=None)

    def refresh() -> None:
        now = sweep_progress(plan, chosen.runs)
        bar.n, bar.total = round(now.epochs_done, 1), now.epochs
        bar.refresh()

    work = work_off_sweep(plan, chosen.runs, lambda progress: refresh())
    ended = execute_all(work, len(start.states), bar, refresh)
    _show_table(chosen, plan, "ablation" if plan.methods else "results")
    return 1 if "failed" in ended else 0


def _table_command(chosen: argparse.Namespace) -> str:
    return f"python -m fer_core sweep-table {chosen.name} --runs {chosen.runs}"


def sweep_table(chosen: argparse.Namespace) -> int:
    from fer_core.training.sweep_files import read_sweep

    plan = read_sweep(chosen.runs, chosen.name)
    kind = chosen.table or ("ablation" if plan.methods else "results")
    return _show_table(chosen, plan, kind, chosen.order, chosen.format)


def _show_table(
    chosen: argparse.Namespace,
    plan: Sweep,
    kind: str,
    order: str = "validation",
    text_format: str = "markdown",
) -> int:
    from fer_core.comparison.sweeps.document import render
    from fer_core.comparison.sweeps.report import sweep_document

    document = sweep_document(plan, chosen.runs, kind, order)
    rows = document.records()
    values = {"name": plan.name, "table": kind, "rows": rows, "notes": list(document.notes)}
    return show_result(chosen, values, render(document, text_format).rstrip("\n"))


def methods(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from fer_core.comparison.sweeps.ablation import METHODS

    rows = [asdict(method) for method in METHODS.values()]
    lines = [
        f"{row['name']:<20}{row['title']:<24}off: {row['field']}={row['off']}"
        + (f"  usual: {row['on']}" if row["on"] else "")
        for row in rows
    ]
    return show_result(chosen, rows, "\n".join(lines))


def sweeps(chosen: argparse.Namespace) -> int:
    from fer_core.training.sweep import SweepError
    from fer_core.training.sweep_files import list_sweeps, read_sweep
    from fer_core.training.sweep_queue import sweep_progress

    rows: list[dict[str, Any]] = []
    lines = []
    for name in list_sweeps(chosen.runs):
        try:
            plan = read_sweep(chosen.runs, name)
        except SweepError as error:
            rows.append({"name": name, "error": str(error)})
            lines.append(f"{name}: {error}")
            continue
        progress = sweep_progress(plan, chosen.runs)
        rows.append(
            {
                "name": name,
                "kind": plan.kind,
                "fields": list(plan.fields),
                "runs": len(progress.states),
                "states": dict(progress.counts),
                "epochs_done": progress.epochs_done,
                "epochs": progress.epochs,
                "seconds_left": progress.seconds_left,
            }
        )
        states = ", ".join(f"{count} {state}" for state, count in progress.counts.items())
        lines.append(f"{name:<32}{len(progress.states):>4} runs  {progress.share:>4.0%}  {states}")
    return show_result(chosen, rows, "\n".join(lines) or f"there are no sweeps in {chosen.runs}")


def stop(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.wording import counted
    from fer_core.training.sweep_files import read_sweep
    from fer_core.training.sweep_queue import stop_sweep

    count = stop_sweep(read_sweep(chosen.runs, chosen.name), chosen.runs)
    said = f"{chosen.name}: {counted(count, 'run')} told to stop"
    return show_result(chosen, {"stopped": count}, said)


def resume(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.wording import counted
    from fer_core.training.sweep_files import read_sweep
    from fer_core.training.sweep_queue import resume_sweep

    count = resume_sweep(read_sweep(chosen.runs, chosen.name), chosen.runs)
    said = f"{chosen.name}: {counted(count, 'run')} back in the queue"
    return show_result(chosen, {"resumed": count}, said)


def delete(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.wording import counted
    from fer_core.training.sweep import SweepError
    from fer_core.training.sweep_files import read_sweep
    from fer_core.training.sweep_queue import delete_sweep

    plan = read_sweep(chosen.runs, chosen.name)
    if not chosen.yes:
        raise SweepError(
            f"this deletes {plan.name} with its {counted(len(plan.runs()), 'run')} for good; "
            "add --yes to do it"
        )
    count = delete_sweep(plan, chosen.runs)
    said = f"{plan.name} is deleted, {counted(count, 'run')} with it"
    return show_result(chosen, {"deleted": count}, said)
