"""train, resume, ship, models, recipes."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap

from fer_core.cli.arguments import chosen_config, chosen_place
from fer_core.cli.execution import execute_here, show_unfinished
from fer_core.cli.output import progress_bar, read_data, score_text, show_result
from fer_core.paths import RunFolder


def train(chosen: argparse.Namespace) -> int:
    from fer_core.training.job import create_run

    if chosen.recipe == "custom" and not chosen.data and not chosen.settings:
        print("nothing was named to train: the recipe quick it is, see `recipes`", file=sys.stderr)
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


def ship(chosen: argparse.Namespace) -> int:
    from fer_core.runs.shipping import ship_run

    note = chosen.note.read_text(encoding="utf-8") if chosen.note else ""
    place = ship_run(RunFolder(chosen.folder), chosen.name, note, replace=chosen.replace)
    return show_result(chosen, {"folder": str(place.path)}, f"shipped to {place.path}")


def calibrate(chosen: argparse.Namespace) -> int:
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.recalibrate import recalibrate

    note = chosen.note.read_text(encoding="utf-8") if chosen.note else ""
    checkpoint = load_checkpoint(chosen.checkpoint)
    faces = read_data(chosen.data, checkpoint.preprocessing.image_size)
    record = recalibrate(RunFolder(checkpoint.folder), faces, note, chosen.half)
    fitted = record["calibration"]
    lines = [f"temperature {fitted['temperature']:g}"]
    for part, before in fitted["error_before"].items():
        after = record[part]["calibration_error"]
        lines.append(f"{part}: expected calibration error {before:.2%} before, {after:.2%} with it")
    return show_result(chosen, fitted, "\n".join(lines))


def remember(chosen: argparse.Namespace) -> int:
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.remember import remember as give_memory

    note = chosen.note.read_text(encoding="utf-8") if chosen.note else ""
    checkpoint = load_checkpoint(chosen.checkpoint, memory=False)
    faces = read_data(chosen.data, checkpoint.preprocessing.image_size)
    place = RunFolder(checkpoint.folder)
    record = give_memory(
        place,
        faces,
        note,
        half=chosen.half,
        codes=chosen.codes,
        numbers=chosen.numbers,
        progress=progress_bar("reading its features"),
        views=str(chosen.views) if chosen.views else "",
    )
    memory = record["model"]["memory"]
    lines = [
        f"remembers {memory['faces']:,} faces, {memory['codes']} bytes of each for "
        f"{memory['numbers']} numbers; "
        f"{memory['least']:.0%} to {memory['most']:.0%} of an answer, half-way at a likeness of "
        f"{memory['alike']:g}"
    ]
    for part, before in memory["without"].items():
        lines.append(
            f"{part}: {before['accuracy']:.2%} by itself, {record[part]['accuracy']:.2%} with it"
        )
    lines.append(f"{record['model']['parameters']:,} numbers, weights of {_megabytes(place)}")
    return show_result(chosen, memory, "\n".join(lines))


def _megabytes(place: RunFolder) -> str:
    return f"{place.weights.stat().st_size / 1e6:.1f} MB"


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
