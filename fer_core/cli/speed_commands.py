"""Command: how long a photograph takes, ours beside the usual ways, as a table in results/."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import sys
from contextlib import nullcontext
from pathlib import Path

from fer_core.cli.output import Command, progress_bar, show_result
from fer_core.paths import REPOSITORY, SHIPPED_CHECKPOINTS

_OUT = REPOSITORY / "results" / "speed.md"


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("bench", bench, "time a photograph's way to its probabilities")
    found.add_argument(
        "--predict",
        type=Path,
        nargs="?",
        const=SHIPPED_CHECKPOINTS / "expressnet",
        required=True,
        metavar="CHECKPOINT",
        help="prediction with this checkpoint (the shipped one)",
    )
    found.add_argument("--repeats", type=int, default=30, metavar="N", help="rounds (30)")
    found.add_argument(
        "--fer", metavar="PYTHON", help="a Python that has the package `fer` (this one if it has)"
    )
    found.add_argument("--threads", type=int, metavar="N", help="threads (as many as cores)")
    found.add_argument("--out", type=Path, default=_OUT, help="Markdown file (results/speed.md)")


def bench(chosen: argparse.Namespace) -> int:
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
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(text, encoding="utf-8")
    return show_result(chosen, values, f"{text}\nwritten to {chosen.out}")
