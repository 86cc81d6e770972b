"""evaluate, ship, calibrate, remember: what scores a finished checkpoint or changes it."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_core.cli.arguments import DATA_HELP, add_checkpoint, text_file
from fer_core.cli.output import (
    Command,
    class_line,
    progress_bar,
    read_data,
    score_text,
    show_result,
)
from fer_core.paths import RunFolder


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    found = command("evaluate", evaluate, "score a checkpoint on one split of a data set")
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--mirrored", action="store_true", help="score the mean over each image and its mirror"
    )
    found.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test", "all"),
        help="the part that is scored (default test; on FER2013 that is PrivateTest)",
    )

    found = command("ship", ship, "copy a finished run to checkpoints/, free of local paths")
    found.add_argument("folder", type=Path, metavar="RUN")
    found.add_argument("name", help="the checkpoint's name")
    found.add_argument(
        "--replace", action="store_true", help="replace a checkpoint that has this name"
    )
    _add_note(found)

    found = command(
        "calibrate",
        calibrate,
        "fit a checkpoint's temperature on its validation part and score it again",
    )
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--half", action="store_true", help="keep the weights in half precision from now on"
    )
    _add_note(found)

    found = command(
        "remember",
        remember,
        "give a checkpoint a memory of its training faces, and score it again",
    )
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--half", action="store_true", help="keep weights and memory in half precision"
    )
    found.add_argument("--codes", type=int, default=16, help="bytes kept of each face (default 16)")
    found.add_argument(
        "--numbers",
        type=int,
        default=64,
        help="numbers that describe a face, a multiple of --codes (default 64)",
    )
    found.add_argument(
        "--views",
        type=Path,
        metavar="FILE",
        help="also remember these views of the faces; as a teacher the checkpoint then answers "
        "without its memory",
    )
    _add_note(found)


def _add_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--note",
        type=text_file,
        metavar="FILE",
        help="Markdown to put at the end of the card, such as the origin and rights of the data",
    )


def _note(chosen: argparse.Namespace) -> str:
    return chosen.note.read_text(encoding="utf-8") if chosen.note else ""


def evaluate(chosen: argparse.Namespace) -> int:
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.evaluation import evaluate_checkpoint

    checkpoint = load_checkpoint(chosen.checkpoint)
    size = checkpoint.preprocessing.image_size
    faces = read_data(chosen.data, size)
    values = evaluate_checkpoint(
        checkpoint,
        faces,
        chosen.split,
        mirrored=chosen.mirrored,
        progress=progress_bar("classifying"),
    )
    text = f"{chosen.checkpoint} on {chosen.split} of {faces.name}: {score_text(values)}"
    if values["without_twins"]:
        text += f"\nwithout twins of training images: {score_text(values['without_twins'])}"
    error = values["calibration_error"]
    text += f"\nexpected calibration error {error:.2%} at temperature {checkpoint.temperature:g}"
    if values["left_out"]:
        text += f"\nleft out, no counterpart in the checkpoint: {values['left_out']}"
    for row in values["per_class"]:
        text += f"\n{class_line(row)}"
    return show_result(chosen, values, text)


def ship(chosen: argparse.Namespace) -> int:
    from fer_core.runs.shipping import ship_run

    place = ship_run(RunFolder(chosen.folder), chosen.name, _note(chosen), replace=chosen.replace)
    return show_result(chosen, {"folder": str(place.path)}, f"shipped to {place.path}")


def calibrate(chosen: argparse.Namespace) -> int:
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.recalibrate import recalibrate

    checkpoint = load_checkpoint(chosen.checkpoint)
    faces = read_data(chosen.data, checkpoint.preprocessing.image_size)
    record = recalibrate(RunFolder(checkpoint.folder), faces, _note(chosen), chosen.half)
    fitted = record["calibration"]
    lines = [f"temperature {fitted['temperature']:g}"]
    for part, before in fitted["error_before"].items():
        after = record[part]["calibration_error"]
        lines.append(f"{part}: expected calibration error {before:.2%} before, {after:.2%} with it")
    return show_result(chosen, fitted, "\n".join(lines))


def remember(chosen: argparse.Namespace) -> int:
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.remember import remember as give_memory

    checkpoint = load_checkpoint(chosen.checkpoint, memory=False)
    faces = read_data(chosen.data, checkpoint.preprocessing.image_size)
    place = RunFolder(checkpoint.folder)
    record = give_memory(
        place,
        faces,
        _note(chosen),
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
    size = place.weights.stat().st_size / 1e6
    lines.append(f"{record['model']['parameters']:,} numbers, weights of {size:.1f} MB")
    return show_result(chosen, memory, "\n".join(lines))
