"""What every command prints with: JSON or text, a progress bar, one line of scores."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

#: command(name, run, help_text) → the parser of a new command; it has --json already.
Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def show_result(chosen: argparse.Namespace, values: Any, text: str) -> int:
    print(json.dumps(values, indent=2) if chosen.json else text)
    return 0


def progress_bar(title: str) -> Callable[[int, int], None]:
    """A progress bar on standard error for (done, total) callbacks."""
    from tqdm import tqdm

    bar: tqdm[Any] | None = None

    def update(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, desc=title, unit=" images", leave=False, disable=None)
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return update


def score_text(scores: dict[str, Any]) -> str:
    low, high = scores["interval"]
    return (
        f"accuracy {scores['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}), "
        f"macro F1 {scores['macro_f1']:.4f}, {scores['n']:,} images"
    )
