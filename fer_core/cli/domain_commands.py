"""Commands: a checkpoint on another set, before and after fine-tuning on a slice of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fer_core.cli.arguments import (
    DATA_HELP,
    add_checkpoint,
    chosen_place,
    run_folder,
    seed,
    whole_number,
)
from fer_core.cli.execution import execute_here, show_unfinished
from fer_core.cli.output import Command, class_line, progress_bar, read_data, show_result
from fer_core.paths import RunFolder, usual_data


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    map_help = "what a class of the set counts as; an empty one leaves it out (repeatable)"
    found = command("domain", domain, "score a checkpoint on a set that it was not made for")
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument("--map", action="append", default=[], metavar="CLASS=CLASS", help=map_help)
    found.add_argument(
        "--limit", type=whole_number(0), default=0, help="images at most, stratified (0: all)"
    )
    found.add_argument("--seed", type=seed, default=0, help="of that draw")
    found.add_argument("--own", help="the set that it learned from, to look for twins in")

    found = command("fine-tune", fine_tune, "fine-tune a checkpoint on a small slice of a set")
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument("--map", action="append", default=[], metavar="CLASS=CLASS", help=map_help)
    found.add_argument("--slice", type=float, default=0.1, help="share of all images of the set")
    found.add_argument("--frozen", type=float, default=0.5, help="share of the layers, first ones")
    found.add_argument("--rate", type=float, default=1e-4, help="learning rate")
    found.add_argument("--epochs", type=whole_number(1), default=3)
    found.add_argument("--seed", type=seed, default=0, help="of the split and the training")
    found.add_argument("--run", type=Path, metavar="DIR", help="the run's folder")
    found.add_argument("--old", metavar="DATA", help="also score the set that it came from")

    found = command("tuning", tuning, "before and after of a run that was fine-tuned")
    found.add_argument("run", type=run_folder, metavar="RUN")
    found.add_argument("--old", metavar="DATA", help="also score the set that it came from")


def domain(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.domains.domain import score_domain
    from fer_core.comparison.domains.words import drop_sentence, headline, notes
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.record import record_fault
    from fer_core.training.lineage import own_source

    checkpoint = load_checkpoint(chosen.checkpoint)
    fault = record_fault(RunFolder(checkpoint.folder))
    if fault:  # its network can be asked all the same
        print(f"its own figures are left out: {fault}", file=sys.stderr)
    size = checkpoint.preprocessing.image_size
    faces = read_data(chosen.data, size)
    own = chosen.own or own_source(checkpoint, usual_data())
    own_faces = read_data(own, size, "reading its own set") if own else None
    steps = score_domain(
        checkpoint, faces, _mapping(chosen.map), chosen.limit, chosen.seed, own_faces
    )
    report = _followed(steps, "scoring")
    lines = [headline(report), drop_sentence(report), *notes(report)]
    for row in report["per_class"]:
        if row["support"]:
            lines.append(class_line(row))
    return show_result(chosen, report, "\n".join(lines))


def fine_tune(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.domains.tuning import TuningPlan, tuning_config
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.evaluation import checked_mapping, run_config
    from fer_core.training.job import create_run

    checkpoint = load_checkpoint(chosen.checkpoint)
    size = checkpoint.preprocessing.image_size
    faces = read_data(chosen.data, size)
    mapping = checked_mapping(
        _mapping(chosen.map), faces.class_names, checkpoint.class_names, run_config(checkpoint)
    )
    plan = TuningPlan(
        slice_share=chosen.slice,
        frozen_share=chosen.frozen,
        learning_rate=chosen.rate,
        epochs=chosen.epochs,
        seed=chosen.seed,
    )
    config = tuning_config(checkpoint, chosen.data, mapping, plan)
    runs_folder, name = chosen_place(chosen.run)
    if chosen.old:  # refused now, and not after the training
        read_data(chosen.old, checkpoint.preprocessing.image_size)
    folder = create_run(config, runs_folder, name)
    progress = execute_here(folder)
    if progress.state != "finished":
        return show_unfinished(chosen, progress)
    return _show_tuning(chosen, folder)


def tuning(chosen: argparse.Namespace) -> int:
    return _show_tuning(chosen, RunFolder(chosen.run))


def _show_tuning(chosen: argparse.Namespace, folder: RunFolder) -> int:
    from fer_core.comparison.domains.before_after import compare_forgetting, compare_tuning
    from fer_core.comparison.domains.words import before_and_after, slice_sentence, verdict
    from fer_core.runs.checkpoint import load_checkpoint

    report = _followed(compare_tuning(folder, progress_bar("reading")), "scoring before")
    lines = [before_and_after(report), verdict(report), slice_sentence(report)]
    pairs = zip(report["before"]["per_class"], report["after"]["per_class"], strict=True)
    for before, after in pairs:
        if before["support"]:
            lines.append(
                f"  {before['class']:<10} recall {before['recall']:.3f} → {after['recall']:.3f}  "
                f"F1 {before['f1']:.3f} → {after['f1']:.3f}  images {before['support']}"
            )
    report["old_domain"] = None
    if chosen.old:
        size = load_checkpoint(folder.path).preprocessing.image_size
        faces = read_data(chosen.old, size)
        old = _followed(compare_forgetting(folder, faces), "scoring the old domain")
        report["old_domain"] = old
        lines += [f"Old domain. {before_and_after(old)}", verdict(old)]
    return show_result(chosen, report, "\n".join(lines))


def _mapping(texts: Iterable[str]) -> dict[str, str]:
    """`anger=angry` → {"anger": "angry"}; ValueError for a text without "="."""
    mapping = {}
    for text in texts:
        name, found, new = text.partition("=")
        if not found or not name.strip():
            raise ValueError(f"--map takes CLASS=CLASS, got {text!r}; try --map anger=angry")
        if mapping.setdefault(name.strip(), new.strip()) != new.strip():
            raise ValueError(f"--map gives {name.strip()} twice, with different classes")
    return mapping


def _followed(steps: Iterable[Any], title: str) -> dict[str, Any]:
    """The report that the steps end with, their progress as a bar."""
    show: Callable[[int, int], None] = progress_bar(title)
    report: dict[str, Any] = {}
    for step in steps:
        show(step.done, step.total)
        report = step.report or report
    return report
