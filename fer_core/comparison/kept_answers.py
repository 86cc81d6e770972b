"""What a checkpoint without predictions says of its own set's test part: asked once, kept.

A shipped checkpoint comes without predictions.parquet, since that would hold a part of the set, its
labels. Whoever has the set can ask it, and its images can then be matched with another run's.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.comparison.answers import probability_batches
from fer_core.data.faces import DataError, Faces
from fer_core.data.twins import has_twin_in
from fer_core.paths import RunFolder, kept_answers
from fer_core.runs.checkpoint import Checkpoint
from fer_core.training.evaluation import class_numbers, part_of, proposed_mapping, run_config
from fer_core.training.lineage import learned_from
from fer_core.training.scoring import prediction_table, write_table

#: Shares of right answers here and in the record may differ by this: another processor rounds
#: otherwise, another set is further away.
_ALIKE = 0.005


def answers_file(run: RunFolder) -> Path:
    """Where a run's answers stand: its own predictions, else those kept for its very weights.

    The file need not exist yet.
    """
    if run.predictions.is_file() or not run.weights.is_file():
        return run.predictions
    try:
        facts = run.weights.stat()
        return kept_answers(_digest(run.weights, facts.st_mtime_ns, facts.st_size))
    except OSError:  # no folder to write to, or the weights went away
        return run.predictions


def lacks_answers(run: RunFolder) -> bool:
    """Whether `ask` would help: there are weights that were scored, and no answers of theirs."""
    there = run.weights.is_file() and run.record.is_file()
    return there and not answers_file(run).is_file()


def ask(checkpoint: Checkpoint, faces: Faces) -> Iterator[tuple[int, int]]:
    """Keep what a checkpoint says of the test part of `faces`, its own set.

    Yields (images done, all images); may be left off after any batch, and nothing is kept then.
    DataError when it was tested on other images.
    """
    run, record = RunFolder(checkpoint.folder), checkpoint.record or {}
    config, names = run_config(checkpoint), checkpoint.class_names
    if config is None or learned_from(checkpoint, faces) is None:
        raise _other_set(run, record, faces)
    lookup = class_numbers(
        proposed_mapping(faces.class_names, names, config), faces.class_names, names
    )
    labels = np.where(faces.labels < 0, faces.labels, lookup[faces.labels])
    indices, train, _ = part_of(faces, config, names, "test")
    indices = indices[labels[indices] >= 0]
    if len(indices) != (record.get("test") or {}).get("n"):
        raise _other_set(run, record, faces)
    rows = []
    yield 0, len(indices)
    for done, part in probability_batches(checkpoint, faces, indices):
        rows.append(part)
        yield done, len(indices)
    probabilities = np.concatenate(rows)  # (N, classes)
    right = float((probabilities.argmax(axis=1) == labels[indices]).mean())
    if abs(right - record["test"].get("accuracy", -1.0)) > _ALIKE:
        raise _other_set(run, record, faces)
    twins = has_twin_in(np.asarray(faces.images[indices]), faces.images[train])
    seen = replace(faces, labels=labels, class_names=names)
    write_table(answers_file(run), prediction_table(seen, indices, "test", probabilities, twins))


def _other_set(run: RunFolder, record: Mapping[str, Any], faces: Faces) -> DataError:
    name = (record.get("data") or {}).get("name") or "another set"
    return DataError(
        f"{run.name} was tested on {name}, and {faces.name} has other images or other parts; "
        f"choose the file with all of {name}"
    )


@functools.lru_cache(maxsize=32)
def _digest(weights: Path, changed: int, size: int) -> str:
    """Of a file's bytes; asked again once its time or size has changed."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
