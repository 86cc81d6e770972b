"""train, resume, models, recipes: runs, and what they can be made of."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path

from fer_core.cli.arguments import add_settings, chosen_config, chosen_place, image_side
from fer_core.cli.execution import execute_here, show_unfinished
from fer_core.cli.output import Command, score_text, show_result
from fer_core.paths import RunFolder


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    found = command("train", train, "train a recipe and score it")
    add_settings(found, "a change of the recipe; repeatable")
    found.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        help="the run's folder (default: a new one in runs/, $FER_RUNS)",
    )

    found = command("resume", resume, "go on with a run after its last finished epoch")
    found.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")

    found = command("models", models, "list the networks with their size and cost")
    found.add_argument("names", nargs="*", metavar="MODEL", help="only these; timm/NAME for timm")
    found.add_argument("--search", metavar="TEXT", help="list own and timm names that hold TEXT")
    found.add_argument(
        "--channels",
        type=int,
        choices=(1, 3),
        default=1,
        help="of the images, on which size and cost depend: 1 grey (default), 3 colour",
    )
    found.add_argument(
        "--image-size",
        type=image_side,
        default=48,
        metavar="PIXELS",
        help="side of the images, on which they depend, too (default 48)",
    )
    command("recipes", recipes, "list the recipes")


def train(chosen: argparse.Namespace) -> int:
    from fer_core.training.job import create_run

    if chosen.recipe == "custom" and not chosen.data and not chosen.settings:
        print("nothing was named: training the recipe quick; `recipes` lists all", file=sys.stderr)
        chosen.recipe = "quick"
    runs_folder, name = chosen_place(chosen.run)
    folder = create_run(chosen_config(chosen), runs_folder, name)
    return _work(chosen, folder)


def resume(chosen: argparse.Namespace) -> int:
    from fer_core.runs.record import RunError, read_progress

    folder = RunFolder(chosen.folder)
    if not folder.config.is_file():
        raise RunError(f"{chosen.folder} is no run: it holds no config.json")
    state = read_progress(folder).state
    if state not in ("stopped", "interrupted", "failed"):
        raise RunError(
            f"{folder.name} is {state}; only a stopped, interrupted or failed run resumes"
        )
    folder.stop_request.unlink(missing_ok=True)  # one that its process did not live to see
    return _work(chosen, folder)


def _work(chosen: argparse.Namespace, folder: RunFolder) -> int:
    """Execute a run in this process and show its scores."""
    from fer_core.runs.inherited import inherited_words
    from fer_core.runs.record import read_record

    progress = execute_here(folder)
    record = read_record(folder)
    if progress.state != "finished" or record is None:
        return show_unfinished(chosen, progress)
    text = f"{folder.path}: best epoch {record['best_epoch']} of {record['epochs_run']}"
    for part in ("validation", "test", "test_without_twins"):
        if record[part]:
            text += f"\n{part.replace('_', ' ')}: {score_text(record[part])}"
    if told := inherited_words(record["data"]):
        text += f"\n{told}"
    return show_result(chosen, record, text)


def models(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from fer_core.models import (
        MODELS,
        build_model,
        describe_model,
        find_network,
        options_text,
        search_backbones,
    )

    if chosen.search is not None:
        names = search_backbones(chosen.search)
        text = "\n".join(names) or f"no network has {chosen.search!r} in its name"
        return show_result(chosen, names, text)
    channels, size = chosen.channels, chosen.image_size
    rows, lines = [], []
    for name in chosen.names or MODELS:
        network = find_network(name)
        model = build_model(name, 7, channels, size, fetch_weights=False)
        facts = asdict(describe_model(model, name, channels, size))
        options = {option: asdict(about) for option, about in network.options.items()}
        rows.append({**facts, "title": network.title, "system": network.system, "options": options})
        lines.append(
            f"{name:<24}{facts['parameters']:>12,} parameters{facts['trainable']:>12,} trainable"
            f"{facts['gflops']:>10.4f} GFLOPs  {network.title}"
        )
        if chosen.names:
            lines.append(f"  {options_text(name)}")
    return show_result(chosen, rows, "\n".join(lines))


def recipes(chosen: argparse.Namespace) -> int:
    from fer_core.runs.recipes import RECIPES

    rows = [
        {
            "name": recipe.name,
            "title": recipe.title,
            "description": recipe.description,
            "config": recipe.config.to_dict(),
        }
        for recipe in RECIPES.values()
    ]
    width = min(100, shutil.get_terminal_size().columns)
    lines = [
        f"{row['name']}: {row['title']}\n"
        + textwrap.fill(row["description"], width, initial_indent="  ", subsequent_indent="  ")
        for row in rows
    ]
    return show_result(chosen, rows, "\n".join(lines))
