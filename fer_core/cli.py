"""The command line: audit, train, resume, evaluate, predict, ship, models, recipes.

Each command is a thin layer over the function that the page calls. With --json the result goes to
standard output as one JSON object and nothing else does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fer_core.paths import DEFAULT_RUNS

#: Refusals that are the user's to mend; anything else is a fault of ours and keeps its traceback.
_REFUSALS = (ValueError, OSError, RuntimeError)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return chosen.execute(chosen)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except _REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fer_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text)
        found.set_defaults(execute=run)
        found.add_argument("--json", action="store_true", help="print the result as JSON")
        return found

    data_help = "csv, zip, parquet, folder, 'drawn' or hub:owner/name"
    audit = command(
        "audit", _audit, "count a data set's images, classes, twins and unreadable rows"
    )
    audit.add_argument("data", help=data_help)

    train = command("train", _train, "train a recipe and score it")
    train.add_argument("--recipe", default="custom", help="a name from `recipes`")
    train.add_argument("--data", help=data_help + " (default: the recipe's own)")
    train.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings")
    train.add_argument(
        "--run", type=Path, metavar="DIR", help="the run's folder (default: runs/NAME)"
    )

    resume = command("resume", _resume, "go on with a run after its last finished epoch")
    resume.add_argument("folder", type=Path, metavar="RUN")

    evaluate = command("evaluate", _evaluate, "score a checkpoint on one split of a data set")
    evaluate.add_argument("checkpoint", type=Path, help="a folder with weights.safetensors")
    evaluate.add_argument("--data", required=True, help=data_help)
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test", "all"))

    predict = command("predict", _predict, "find the faces in pictures and label their expressions")
    predict.add_argument("checkpoint", type=Path, help="a folder with weights.safetensors")
    predict.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    predict.add_argument(
        "--whole-picture", action="store_true", help="take each picture as one face; find none"
    )

    ship = command("ship", _ship, "copy a finished run to checkpoints/, free of local paths")
    ship.add_argument("folder", type=Path, metavar="RUN")
    ship.add_argument("name", help="the checkpoint's name")
    ship.add_argument("--note", type=Path, help="Markdown file to add to the card: origin, rights")

    command("models", _models, "list the networks with their size and cost")
    command("recipes", _recipes, "list the recipes")
    return parser


def _print(chosen: argparse.Namespace, values: Any, text: str) -> int:
    print(json.dumps(values, indent=2) if chosen.json else text)
    return 0


def _bar(title: str) -> Callable[[int, int], None]:
    """A progress bar on standard error for (done, total) callbacks."""
    from tqdm import tqdm

    bar: tqdm[Any] | None = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, desc=title, unit=" images", leave=False, disable=None)
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show


def _audit(chosen: argparse.Namespace) -> int:
    from fer_core.data.audit import audit_faces
    from fer_core.data.readers import read_faces
    from fer_core.data.split import SplitPlan, split_faces

    faces = read_faces(chosen.data, progress=_bar("reading"))
    split = split_faces(faces, SplitPlan()) if faces.labelled else None
    values = audit_faces(faces, split).to_dict()
    lines = [f"{key}: {value}" for key, value in values.items()]
    return _print(chosen, values, "\n".join(lines))


def _train(chosen: argparse.Namespace) -> int:
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


def _resume(chosen: argparse.Namespace) -> int:
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
    return _work(chosen, chosen.folder)


def _work(chosen: argparse.Namespace, path: Path) -> int:
    """Execute a run in this process, its progress as a bar and its epochs as lines."""
    from tqdm import tqdm

    from fer_core.paths import RunFolder
    from fer_core.runs.record import Progress, read_epochs, read_record, run_lock
    from fer_core.training.run import execute_run

    folder = RunFolder(path)
    print(f"run: {folder.path}", file=sys.stderr)
    bar = tqdm(desc="training", unit=" steps", disable=None)
    shown = len(read_epochs(folder))

    def show(progress: Progress) -> None:
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
            progress = execute_run(folder, show)
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
            text += f"\n{part.replace('_', ' ')}: {_score_text(record[part])}"
    return _print(chosen, record, text)


def _score_text(scores: dict[str, Any]) -> str:
    low, high = scores["interval"]
    return (
        f"accuracy {scores['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}), "
        f"macro F1 {scores['macro_f1']:.4f}, {scores['n']:,} images"
    )


def _evaluate(chosen: argparse.Namespace) -> int:
    from fer_core.data.readers import read_faces
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.evaluation import evaluate_checkpoint

    checkpoint = load_checkpoint(chosen.checkpoint)
    size = checkpoint.preprocessing.image_size
    faces = read_faces(chosen.data, image_size=size, progress=_bar("reading"))
    values = evaluate_checkpoint(checkpoint, faces, chosen.split)
    text = f"{chosen.checkpoint} on {chosen.split} of {faces.name}: {_score_text(values)}"
    if values["without_twins"]:
        text += f"\nwithout twins of training images: {_score_text(values['without_twins'])}"
    if values["left_out"]:
        text += f"\nleft out, no counterpart in the checkpoint: {values['left_out']}"
    for row in values["per_class"]:
        text += (
            f"\n  {row['class']:<10} precision {row['precision']:.3f}  recall {row['recall']:.3f}"
            f"  F1 {row['f1']:.3f}  images {row['support']}"
        )
    return _print(chosen, values, text)


def _predict(chosen: argparse.Namespace) -> int:
    from fer_core.inference.detect import FaceDetector
    from fer_core.inference.photo import read_photo
    from fer_core.inference.predictor import Predictor
    from fer_core.runs.checkpoint import load_checkpoint

    predictor = Predictor(load_checkpoint(chosen.checkpoint), FaceDetector())
    results, failed = [], 0
    for path in chosen.images:
        entry: dict[str, Any] = {"image": str(path), "faces": [], "error": None}
        try:
            faces = predictor.predict(read_photo(path), whole_picture=chosen.whole_picture)
            entry["faces"] = [face.to_dict() for face in faces]
        except (OSError, ValueError) as error:
            entry["error"] = str(error)
            failed += 1
        results.append(entry)
    lines = []
    for entry in results:
        faces = entry["faces"]
        labels = ", ".join(f"{face['label']} {face['confidence']:.0%}" for face in faces)
        lines.append(f"{entry['image']}: {entry['error'] or labels or 'no face found'}")
    _print(chosen, results, "\n".join(lines))
    return 2 if failed else 0


def _ship(chosen: argparse.Namespace) -> int:
    from fer_core.paths import RunFolder
    from fer_core.runs.shipping import ship_run

    note = chosen.note.read_text(encoding="utf-8") if chosen.note else ""
    place = ship_run(RunFolder(chosen.folder), chosen.name, note)
    return _print(chosen, {"folder": str(place.path)}, f"shipped to {place.path}")


def _models(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from fer_core.models import MODELS, build_model, describe_model

    rows = [
        asdict(describe_model(build_model(name, 7, 1, 48), name, 1, 48)) for name in sorted(MODELS)
    ]
    lines = [
        f"{row['name']:<24}{row['parameters']:>12,} parameters{row['trainable']:>12,} trainable"
        f"{row['gflops']:>10.4f} GFLOPs"
        for row in rows
    ]
    return _print(chosen, rows, "\n".join(lines))


def _recipes(chosen: argparse.Namespace) -> int:
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
    return _print(chosen, rows, "\n".join(f"{r['name']:<22}{r['description']}" for r in rows))
