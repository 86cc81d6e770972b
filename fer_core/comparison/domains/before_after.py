"""What fine-tuning changed on images that it never saw: before and after, from the run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.answers import probability_batches
from fer_core.comparison.domains.domain import Scoring, stratified_sample
from fer_core.comparison.domains.scores import answers_of, figures, paired_gain
from fer_core.comparison.domains.tuning import is_tuning
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.data.twins import has_twin_in
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import RunError, checked_record, read_json, read_progress, write_json
from fer_core.runs.record_fields import change_fits
from fer_core.training.dataset import load_run_data
from fer_core.training.evaluation import checked_mapping, class_numbers, part_of, run_config
from fer_core.training.inherited import used_images
from fer_core.training.lineage import first_checkpoint
from fer_core.training.metrics import full_report
from fer_core.training.scoring import PROBABILITY

#: What the record of a run must hold.
_NEEDED = (
    *("best_epoch", "epochs_run", "data.fingerprint"),
    *("data.counts.train", "data.counts.validation"),
)
#: Called with (images read, images in all).
Progress = Callable[[int, int], None]


def compare_tuning(run: RunFolder, reading: Progress | None = None) -> Iterator[Scoring]:
    """Before and after of a finished fine-tuning run, on the images that it held out.

    After is what the run itself stored; before is its starting checkpoint, scored here on the same
    images. The report's keys: run, start, data, class_names, classes, n (held-out images), slice
    {class: images learned from}, choosing (images that chose the epoch), best_epoch, epochs,
    frozen_share, learning_rate, same_set (whether the starting checkpoint had learned from this set
    already), seen_before (how many of the n images it had learned from or chosen by), before and
    after (accuracy, interval, macro_f1, macro_f1_interval, n, per_class, confusion), gain (after
    minus before with intervals, McNemar's p_value), and without_twins (the same three without
    images that the slice has pixel for pixel; None when there is no such image). It is also kept in
    the run's folder, see `stored_comparison`.
    DataError in a sentence when something of it is gone.
    """
    config, record, table = _finished(run)
    start = _start(config)
    try:
        data = load_run_data(config, reading)
    except (OSError, CheckpointError) as error:
        raise DataError(f"the data of {run.name} cannot be read any more: {error}") from error
    names = start.class_names
    places = table["index"].to_numpy(dtype=np.int64)
    labels = table["label"].to_numpy(dtype=np.int64)
    if (
        record["data"]["fingerprint"] != data.faces.fingerprint
        or data.faces.class_names != names
        or not np.array_equal(np.sort(places), data.split.test)
    ):
        raise DataError(
            f"the data set {data.faces.name} has changed since {run.name}, so its held-out images "
            "cannot be found again; fine-tune anew"
        )
    try:
        after = table[[f"{PROBABILITY}{name}" for name in names]].to_numpy(dtype=np.float64)
    except (KeyError, ValueError) as error:
        raise DataError(f"the predictions of {run.name} cannot be read: {error}") from error
    rows = []
    for done, part in probability_batches(start, data.faces, places):
        rows.append(part)
        yield Scoring(done, len(places))
    before = np.concatenate(rows)
    twins = has_twin_in(data.faces.images[places], data.faces.images[data.split.train])
    whole = read_faces(config.data, image_size=config.image_size)  # with the set's own classes
    used = used_images(start, whole, ("train", "validation"))
    report = {
        "run": run.name,
        "record_digest": _record_digest(run),
        "start": start.folder.name,
        "data": data.faces.name,
        "class_names": list(names),
        "slice": {name: n for name, n in record["data"]["counts"]["train"].items() if n},
        "choosing": sum(record["data"]["counts"]["validation"].values()),
        "best_epoch": record["best_epoch"],
        "epochs": record["epochs_run"],
        "frozen_share": config.frozen_share,
        "learning_rate": config.learning_rate,
        "same_set": bool(len(used)),
        "seen_before": int(np.isin(places, used).sum()),
        **_before_and_after(labels, before, after, names),
        "without_twins": None,
    }
    if twins.any() and not twins.all():
        kept = ~twins
        report["without_twins"] = _before_and_after(labels[kept], before[kept], after[kept], names)
    write_json(run.before_after, report)
    yield Scoring(len(places), len(places), report)


def stored_comparison(run: RunFolder) -> dict[str, Any] | None:
    """The report of an earlier `compare_tuning` of the run as it is now, or None."""
    report = read_json(run.before_after)
    if not report or report.get("record_digest") != _record_digest(run):
        return None
    return report if change_fits(report) else None


def _record_digest(run: RunFolder) -> str:
    """Of the record's content: file times are too coarse to tell a run from its repetition."""
    try:
        return hashlib.sha256(run.record.read_bytes()).hexdigest()
    except OSError:
        return ""


def compare_forgetting(
    run: RunFolder, old_faces: Faces, limit: int = 0, seed: int = 0
) -> Iterator[Scoring]:
    """What fine-tuning did to the accuracy on the domain that the checkpoint came from.

    old_faces: the set that the first checkpoint of the line learned from, read at its image size;
    its test part is scored, at most `limit` images of it (0 takes all). The report's keys: run,
    start, data, n, class_names, classes, before, after, gain as in `compare_tuning`.
    """
    config, _, _ = _finished(run)
    start, tuned = _start(config), load_checkpoint(run.path)
    origin = first_checkpoint(start)
    own = run_config(origin)
    test, _, _ = part_of(old_faces, own, origin.class_names, "test")
    mapping = checked_mapping({}, old_faces.class_names, start.class_names, own)
    lookup = class_numbers(mapping, old_faces.class_names, start.class_names)
    test = test[lookup[old_faces.labels[test]] >= 0]
    if not len(test):
        raise DataError(
            f"{old_faces.name} has no test image of a class that {start.folder.name} knows"
        )
    test = test[stratified_sample(old_faces.labels[test], limit, seed)]
    labels = lookup[old_faces.labels[test]]
    sides = []
    for place, checkpoint in enumerate((start, tuned)):
        rows = []
        for done, part in probability_batches(checkpoint, old_faces, test):
            rows.append(part)
            yield Scoring(place * len(test) + done, 2 * len(test))
        sides.append(np.concatenate(rows))
    yield Scoring(
        2 * len(test),
        2 * len(test),
        {
            "run": run.name,
            "start": start.folder.name,
            "data": old_faces.name,
            "class_names": list(start.class_names),
            **_before_and_after(labels, *sides, start.class_names),
        },
    )


def _finished(run: RunFolder) -> tuple[RunConfig, dict[str, Any], pd.DataFrame]:
    """Configuration, record and test predictions of a fine-tuning run that has ended well."""
    try:
        config = RunConfig.from_run(run)
    except (OSError, ConfigError) as error:
        raise DataError(f"{run.name} has no configuration that can be read: {error}") from error
    if not is_tuning(config):
        raise DataError(
            f"{run.name} did not start from a checkpoint, so it has no before; choose a run that "
            "was fine-tuned"
        )
    try:
        record = checked_record(run)
        if record is not None and record.get("test"):
            checked_record(run, *_NEEDED)
    except RunError as error:
        raise DataError(str(error)) from error
    if record is None or not record.get("test"):
        state = read_progress(run).state
        raise DataError(f"{run.name} is {state}; before and after are compared when it is finished")
    try:
        table = pd.read_parquet(run.predictions)
        missing = {"index", "label", "split"}.difference(table.columns)
        if missing:
            raise ValueError(f"they have no column {', '.join(sorted(missing))}")
    except (OSError, ValueError) as error:
        raise DataError(f"the predictions of {run.name} cannot be read: {error}") from error
    return config, record, table[table["split"] == "test"]


def _start(config: RunConfig) -> Checkpoint:
    try:
        return load_checkpoint(Path(config.start_from))
    except CheckpointError as error:
        raise DataError(f"the checkpoint that was fine-tuned is gone: {error}") from error


def _before_and_after(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, names: tuple[str, ...]
) -> dict[str, Any]:
    """before, after: float (N, classes) probabilities of the same images."""
    sides = {}
    for side, probabilities in (("before", before), ("after", after)):
        report = full_report(probabilities, labels, names)
        found = figures(answers_of(labels, probabilities.argmax(axis=1)))
        sides[side] = {**found, "per_class": report["per_class"], "confusion": report["confusion"]}
    return {
        "n": len(labels),
        "classes": [names[place] for place in np.unique(labels)],
        **sides,
        "gain": paired_gain(labels, before.argmax(axis=1), after.argmax(axis=1)),
    }
