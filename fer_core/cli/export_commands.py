"""Command: a checkpoint as one ONNX file, checked against the checkpoint."""

from __future__ import annotations

import argparse
import dataclasses

from fer_core.cli.arguments import add_checkpoint, output_of
from fer_core.cli.output import Command, show_result


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("export", export, "write a checkpoint as an ONNX file and check it")
    add_checkpoint(found)
    found.add_argument(
        "--out", type=output_of(".onnx"), required=True, metavar="FILE", help="the .onnx file"
    )


def export(chosen: argparse.Namespace) -> int:
    from fer_core.inference.export import INPUT, OUTPUT, TOLERANCE, export_onnx
    from fer_core.runs.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(chosen.checkpoint)
    done = export_onnx(checkpoint, chosen.out)
    size, channels = checkpoint.preprocessing.image_size, checkpoint.preprocessing.channels
    values = {**dataclasses.asdict(done), "path": str(done.path), "tolerance": TOLERANCE}
    text = (
        f"{done.path}: {done.bytes / 1e6:.1f} MB; {INPUT} uint8 (N, {size}, {size}, {channels}) → "
        f"{OUTPUT} (N, {len(checkpoint.class_names)})\n"
        f"checked on {done.pictures} pictures: no probability differs from the checkpoint's by "
        f"more than {done.difference:.1e} (allowed: {TOLERANCE:.0e})"
    )
    return show_result(chosen, values, text)
