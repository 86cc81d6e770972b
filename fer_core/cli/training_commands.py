"""train, resume, ship, models, recipes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fer_core.cli.output import score_text, show_result
from fer_core.paths import DEFAULT_RUNS


def train(chosen: argparse.Namespace) -> int:
    import dataclasses

    from fer_core.runs.config import RunConfig
    from fer_core.runs.recipes import find_recipe
    from fer_core.training.job import create_run

    config = RunConfig() if chosen.recipe == "custom" else find_recipe(chosen.recipe).config
    if chosen.data:
        config = dataclasses.replace(config, data=chosen.data)
    config = config.with_settings(chosen.settings)
    runs_folder, name = DEFAULT_RUNS, None
    if chosen.run:
        runs_folder, name = chosen.run.resolve().parent, chosen.run.name
    folder = create_run(config, runs_folder, name)
    return _work(chosen, folder.path)


def resume(chosen: argparse.Namespace) -> int:
    from fer_core.paths import RunFolder
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
    return _work(chosen, chosen.folder)


def _work(chosen: argparse.Namespace, path: Path) -> int:
    """Execute a run in this process, its progress as a bar and its epochs as lines."""
    from filelock import Timeout
    from tqdm import tqdm

    from fer_core.paths import RunFolder
    from fer_core.runs.record import Progress, RunError, read_epochs, read_record, run_lock
    from fer_core.training.run import execute_run

    folder = RunFolder(path)
    print(f"run: {folder.path}", file=sys.stderr)
    bar = tqdm(desc="training", unit=" steps", disable=None)
    shown = len(read_epochs(folder))

    def on_progress(progress: Progress) -> None:
        nonlocal shown
        bar.total = progress.epochs * progress.steps or None
        bar.n = progress.epoch * progress.steps + progress.step
        bar.set_postfix_str(progress.reason or f"{progress.images_per_second:.0f} images/s")
        for epoch in read_epochs(folder)[shown:] if progress.epoch > shown else []:
            shown = epoch["epoch"]
            bar.write(
                f"epoch {shown:3d}  train {epoch['train_loss']:.4f} {epoch['train_accuracy']:.2%}"
                f"  validation {epoch['validation_loss']:.4f} {epoch['validation_accuracy']:.2%}",
                file=sys.stderr,
            )

    try:
        with run_lock(folder).acquire(timeout=5):
            progress = execute_run(folder, on_progress)
    except Timeout as error:
        raise RunError(f"another process works on {folder.name}; wait for it or stop it") from error
    except KeyboardInterrupt:
        print(f"\ninterrupted; go on with: python -m fer_core resume {path}", file=sys.stderr)
        return 130
    finally:
        bar.close()
    record = read_record(folder)
    if progress.state != "finished" or record is None:
        print(f"{progress.state}: {progress.reason}", file=sys.stderr)
        return 0 if progress.state == "stopped" else 1
    text = f"{folder.path}: best epoch {record['best_epoch']} of {record['epochs_run']}"
    for part in ("validation", "test", "test_without_twins"):
        if record[part]:
            text += f"\n{part.replace('_', ' ')}: {score_text(record[part])}"
    return show_result(chosen, record, text)


def ship(chosen: argparse.Namespace) -> int:
    from fer_core.paths import RunFolder
    from fer_core.runs.shipping import ship_run

    note = chosen.note.read_text(encoding="utf-8") if chosen.note else ""
    place = ship_run(RunFolder(chosen.folder), chosen.name, note)
    return show_result(chosen, {"folder": str(place.path)}, f"shipped to {place.path}")


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
    return show_result(chosen, rows, "\n".join(f"{r['name']:<22}{r['description']}" for r in rows))
