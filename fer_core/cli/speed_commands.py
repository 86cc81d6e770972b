"""Command: how long a photograph takes, how fast the webcam answers, how fast a GPU trains."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from fer_core.cli.arguments import (
    add_fer,
    add_page,
    add_settings,
    chosen_config,
    fer_python,
    program,
    whole_number,
)
from fer_core.cli.output import Command, progress_bar, show_result
from fer_core.paths import SHIPPED_CHECKPOINTS

#: What `--predict` alone measures.
_USUAL = SHIPPED_CHECKPOINTS / "expressnet-photo"


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("bench", bench, "time prediction, or training on a GPU")
    kind = found.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--gpu",
        action="store_true",
        help="training: seconds to an accuracy, images a second, and torchvision's way "
        "(expressnet_short, unless --recipe says otherwise)",
    )
    kind.add_argument(
        "--predict",
        type=Path,
        nargs="?",
        const=_USUAL,
        metavar="CHECKPOINT",
        help="a photograph's way to its probabilities with this checkpoint (expressnet-photo)",
    )
    kind.add_argument(
        "--webcam",
        action="store_true",
        help="the live webcam in headless Chromium: frames a second and how late its label is",
    )
    found.add_argument("--seconds", type=float, default=20, help="with --webcam: watched for (20)")
    found.add_argument("--browser", type=program, metavar="PATH", help="with --webcam: a Chromium")
    found.add_argument(
        "--repeats", type=whole_number(1), default=30, metavar="N", help="rounds (30)"
    )
    add_fer(found)
    found.add_argument(
        "--threads", type=whole_number(1, 1024), metavar="N", help="threads (as many as cores)"
    )
    add_page(found)
    add_settings(found, "with --gpu: what is trained; repeatable")
    found.add_argument(
        "--steps", type=whole_number(1), default=100, help="with --gpu: steps that are timed"
    )


def bench(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.marks import check_marks, marks

    if chosen.gpu and chosen.readme:
        raise ValueError("--readme goes with --predict or --webcam; bench --gpu writes --out alone")
    check_marks(chosen.readme, *marks("webcam" if chosen.webcam else "speed"))
    if chosen.gpu:
        return _bench_gpu(chosen)
    return _bench_webcam(chosen) if chosen.webcam else _bench_prediction(chosen)


def _bench_gpu(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.costs.gpu_report import (
        measure_training,
        training_document,
        training_page,
    )
    from fer_core.comparison.marks import write_results
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.training.devices import choose_device

    if chosen.recipe == "custom":
        chosen.recipe = "expressnet_short"
    kept: list[Path] = []

    def keep(report: dict[str, Any]) -> None:
        out = kept[0] if kept else chosen.out
        kept[:] = [write_results("gpu", training_page(report), "", out, None)]

    report = measure_training(
        chosen_config(chosen),
        choose_device("cuda"),
        steps=chosen.steps,
        show=lambda line: print(line, file=sys.stderr, flush=True),
        keep=keep,
    )
    path = kept[0]
    text = f"{to_markdown(training_document(report))}\nwritten to {path}"
    return show_result(chosen, report, text)


def _bench_prediction(chosen: argparse.Namespace) -> int:
    import torch

    from fer_core.comparison.costs import prediction_speed as speed
    from fer_core.comparison.costs.prediction_scenes import scenes
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.shipping import portable_checkpoint
    from fer_core.training.scoring import commit, machine_name

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    checkpoint, pictures = load_checkpoint(chosen.predict), scenes()
    python = fer_python(chosen)
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
    shipped = chosen.predict == _USUAL
    options = "" if shipped else f" {portable_checkpoint(checkpoint.folder.resolve())}"
    options += f" --repeats {chosen.repeats}"
    options += " --fer PYTHON" if chosen.fer else ""
    options += f" --threads {chosen.threads}" if chosen.threads else ""
    table = (
        f"{speed.speed_table(found)}\n\n"
        f"Made by `python -m fer_core bench --predict{options}` with the network "
        f"{checkpoint.folder.name} at commit {values['commit'] or 'unknown'} on "
        f"{values['machine']}."
    )
    text = (
        "# From a photograph to probabilities\n\n"
        "640 x 480 pixels, decoded; every way found all the faces. Medians and quartiles; *times "
        "ours* is the median over the rounds of the ratio within one round, *processor* the same "
        f"for the time of all threads.\n\n{table}\n"
    )
    return _written(chosen, values, text, "speed", table)


def _bench_webcam(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.costs.webcam_speed import measure_webcam, webcam_text
    from fer_core.training.scoring import commit, machine_name

    if not 5 <= chosen.seconds <= 600:
        raise ValueError(f"--seconds must be 5 to 600, got {chosen.seconds:g}")
    found = measure_webcam(chosen.seconds, chosen.browser)
    values = {**dataclasses.asdict(found), "machine": machine_name(), "commit": commit()}
    figures = (
        f"{webcam_text(found)} Made by `python -m fer_core bench --webcam --seconds "
        f"{chosen.seconds:g}` at commit {values['commit'] or 'unknown'} on {values['machine']}."
    )
    text = (
        "# The live webcam\n\nThe page in headless Chromium with a pretended camera of 640 x 480 "
        "pixels whose two portraits take turns; browser, page and networks share the machine. A "
        "frame counts as shown when the boxes over the picture are drawn, a label as following "
        f"when they first name another one.\n\n{figures}\n"
    )
    return _written(chosen, values, text, "webcam", figures)


def _written(
    chosen: argparse.Namespace, values: dict[str, Any], text: str, name: str, part: str
) -> int:
    """Keep the page `text` as results/NAME.md, and its `part` in the README where asked for."""
    from fer_core.comparison.marks import write_results

    path = write_results(name, text, part, chosen.out, chosen.readme)
    return show_result(chosen, values, f"{text}\nwritten to {path}")
