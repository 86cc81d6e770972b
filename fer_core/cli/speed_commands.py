"""Command: how long a photograph takes, and how fast a GPU trains, each beside the usual ways."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import sys
from contextlib import nullcontext
from pathlib import Path

from fer_core.cli.arguments import add_settings, chosen_config
from fer_core.cli.output import Command, progress_bar, show_result
from fer_core.paths import REPOSITORY, SHIPPED_CHECKPOINTS

_RESULTS = REPOSITORY / "results"


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("bench", bench, "time prediction, or training on a GPU")
    kind = found.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--gpu",
        action="store_true",
        help="training: seconds to an accuracy, images a second, and torchvision's way",
    )
    kind.add_argument(
        "--predict",
        type=Path,
        nargs="?",
        const=SHIPPED_CHECKPOINTS / "expressnet",
        metavar="CHECKPOINT",
        help="a photograph's way to its probabilities with this checkpoint (the shipped one)",
    )
    found.add_argument("--repeats", type=int, default=30, metavar="N", help="rounds (30)")
    found.add_argument(
        "--fer", metavar="PYTHON", help="a Python that has the package `fer` (this one if it has)"
    )
    found.add_argument("--threads", type=int, metavar="N", help="threads (as many as cores)")
    found.add_argument("--out", type=Path, help="Markdown file (results/speed.md or gpu.md)")
    add_settings(found, "with --gpu: what is trained; repeatable")
    found.add_argument("--steps", type=int, default=100, help="with --gpu: steps that are timed")


def bench(chosen: argparse.Namespace) -> int:
    return _bench_gpu(chosen) if chosen.gpu else _bench_prediction(chosen)


def _bench_gpu(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.costs.gpu_report import (
        measure_training,
        training_document,
        write_training_report,
    )
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.training.devices import choose_device

    if chosen.recipe == "custom":
        chosen.recipe = "expressnet"
    config, path = chosen_config(chosen), chosen.out or _RESULTS / "gpu.md"
    report = measure_training(
        config,
        choose_device("cuda"),
        steps=chosen.steps,
        show=lambda line: print(line, file=sys.stderr, flush=True),
    )
    write_training_report(report, path)
    text = f"{to_markdown(training_document(report))}\nwritten to {path}"
    return show_result(chosen, report, text)


def _bench_prediction(chosen: argparse.Namespace) -> int:
    import torch

    from fer_core.comparison.costs import prediction_speed as speed
    from fer_core.comparison.costs.prediction_scenes import scenes
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.scoring import commit, machine_name

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    checkpoint, pictures = load_checkpoint(chosen.predict), scenes()
    python = chosen.fer or (sys.executable if importlib.util.find_spec("fer") else None)
    with speed.fer_way(python, pictures) if python else nullcontext() as fer:
        ways = {
            speed.OURS: speed.our_way(checkpoint),
            speed.MTCNN: speed.mtcnn_way(checkpoint),
            **({speed.FER: fer} if fer else {}),
        }
        found = speed.time_ways(ways, pictures, chosen.repeats, progress_bar("timing"))
    values = {
        "machine": machine_name(),
        "commit": commit(),
        "checkpoint": checkpoint.folder.name,
        "rounds": chosen.repeats,
        "speeds": [dataclasses.asdict(one) for one in found],
    }
    table = speed.speed_table(found)
    options = f" --repeats {chosen.repeats}"
    options += f" --threads {chosen.threads}" if chosen.threads else ""
    text = (
        "# From a photograph to probabilities\n\n"
        "640 x 480 pixels, decoded; every way found all the faces. Medians and quartiles; *times "
        "ours* is the median over the rounds of the ratio within one round, *processor* the same "
        "for the time of all threads.\n\n"
        f"{table}\n\n"
        f"Made by `python -m fer_core bench --predict{options}` with the network "
        f"{checkpoint.folder.name} at commit {values['commit'] or 'unknown'} on "
        f"{values['machine']}.\n"
    )
    path = chosen.out or _RESULTS / "speed.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return show_result(chosen, values, f"{text}\nwritten to {path}")
