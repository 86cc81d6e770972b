"""What every command reads and prints with: JSON or text, a progress bar, lines of scores."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.faces import Faces

#: command(name, run, help_text) → the parser of a new command; it has --json already.
Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def show_result(chosen: argparse.Namespace, values: Any, text: str) -> int:
    """Print it and return 0. A reader that leaves early, as `head` does, is no error, nor is a
    terminal that lacks some signs: it gets a "?" for each."""
    said = json.dumps(_known(values), indent=2, allow_nan=False) if chosen.json else text
    try:
        try:
            print(said, flush=True)
        except UnicodeEncodeError:  # comes before the first sign is written
            encoding = sys.stdout.encoding
            print(said.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:  # what is still to be flushed at the end goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _known(values: Any) -> Any:
    """The same with null for what is not known, since JSON has neither NaN nor infinity."""
    if isinstance(values, dict):
        return {name: _known(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_known(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


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


def accuracy_text(accuracy: float, interval: Sequence[float], macro_f1: float) -> str:
    """Shares as fractions → "accuracy 61.20% (95 % interval 59.6% to 62.8%), macro F1 0.5921"."""
    low, high = interval
    return (
        f"accuracy {accuracy:.2%} (95 % interval {low:.2%} to {high:.2%}), macro F1 {macro_f1:.4f}"
    )


def score_text(scores: dict[str, Any]) -> str:
    found = accuracy_text(scores["accuracy"], scores["interval"], scores["macro_f1"])
    return f"{found}, {scores['n']:,} images"


def class_line(row: dict[str, Any]) -> str:
    """One class of a report: precision, recall, F1 and its number of images."""
    return (
        f"  {row['class']:<10} precision {row['precision']:.3f}  recall {row['recall']:.3f}"
        f"  F1 {row['f1']:.3f}  images {row['support']}"
    )


def frame_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON can hold them: null for what is not known, since it has no NaN."""
    return table.astype(object).where(table.notna(), None).to_dict(orient="records")


def read_data(source: str, image_size: int | None = None, title: str = "reading") -> Faces:
    """A data set, read with a bar."""
    from fer_core.data.readers import read_faces

    return read_faces(source, image_size=image_size, progress=progress_bar(title))
