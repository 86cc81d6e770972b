"""Runs executed in the process of a command, their progress on standard error."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

    from fer_core.paths import RunFolder
    from fer_core.runs.record import Progress


def execute_here(folder: RunFolder) -> Progress:
    """Execute one run, its progress as a bar and its epochs as lines; returns how it ended.

    BusyRun when another process works on it.
    """
    from tqdm import tqdm

    from fer_core.runs.record import read_epochs, working_on
    from fer_core.training.run import execute_run

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
        with working_on(folder, 5):
            progress = execute_run(folder, on_progress)
    except KeyboardInterrupt:
        hint = f"interrupted; go on with: python -m fer_core resume {folder.path}"
        raise KeyboardInterrupt(hint) from None
    finally:
        bar.close()
    if progress.state != "finished":
        print(f"{progress.state}: {progress.reason}", file=sys.stderr)
    return progress


def show_unfinished(chosen: argparse.Namespace, progress: Progress) -> int:
    """With --json how a run ended without a result; returns 0 where it was told to, else 1."""
    if chosen.json:
        print(json.dumps({"state": progress.state, "reason": progress.reason}))
    return 0 if progress.state == "stopped" else 1


def execute_all(
    work: Iterator[tuple[str, Progress]], count: int, bar: tqdm[Any], refresh: Callable[[], None]
) -> list[str]:
    """Follow `planned_runs.work_off` over `count` runs, a line for each; returns how they ended."""
    ended = []
    try:
        for place, (name, progress) in enumerate(work, start=1):
            ended.append(progress.state)
            reason = f": {progress.reason}" if progress.reason else ""
            bar.write(f"{place}/{count}  {name}  {progress.state}{reason}", file=sys.stderr)
            refresh()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; the same command again goes on") from None
    finally:
        bar.close()
    return ended
