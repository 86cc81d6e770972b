"""A checkpoint on a set that it was not made for: its figures there and the drop against its own.

A checkpoint, faces and a mapping of classes enter; scoring yields its progress and ends with a
report of plain values. Nothing is trained here, see `tuning`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.answers import probability_batches
from fer_core.comparison.domains.scores import (
    Answers,
    answers_of,
    answers_of_confusion,
    figures,
    unpaired_drop,
)
from fer_core.data.faces import DataError, Faces
from fer_core.data.twins import has_twin_in
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint
from fer_core.training.evaluation import (
    checked_mapping,
    class_numbers,
    images_per_class,
    part_of,
    run_config,
)
from fer_core.training.inherited import used_images
from fer_core.training.lineage import lineage, runs_on
from fer_core.training.metrics import full_report
from fer_core.training.scoring import PROBABILITY

MOST_MISTAKES = 24


@dataclass(frozen=True)
class Scoring:
    """How far the scoring is, in images; `report` comes with the last one."""

    done: int
    total: int
    report: dict[str, Any] | None = None


def score_domain(
    checkpoint: Checkpoint,
    faces: Faces,
    mapping: Mapping[str, str] | None = None,
    limit: int = 0,
    seed: int = 0,
    own_faces: Faces | None = None,
) -> Iterator[Scoring]:
    """Score the checkpoint on the labelled images of `faces`; may be left off after any batch.

    mapping: class of the set → class of the checkpoint, "" to leave it out; what it does not name
    goes by name. limit: at most so many images, a stratified draw by `seed`; 0 takes all.
    own_faces: the set that the checkpoint learned from, to look for twins in; None looks for none.
    Where `faces` are themselves what it learned from, only that run's test part is scored, without
    what a run that it started from has used of it.

    The report's keys: checkpoint, data, fingerprint, mapping, class_names (the checkpoint's),
    classes (those of them that have images), left_out {class: images}, n, available (images that
    could be scored), seed, accuracy with interval (Wilson), macro_f1 with macro_f1_interval
    (bootstrap; over `classes`), per_class and confusion in the order of class_names, same_set
    (whether it learned from this very set), twins (images that its training has pixel for pixel;
    None when that is not known), own (the figures on its own test images of the same classes, with
    recall {class: share}, data and read_from; None when they are not known), drop (own minus new,
    with intervals; None likewise or for the same set), mistakes [{index, id, true, predicted,
    confidence}], surest first. DataError when there is nothing to score.
    """
    used = checked_mapping(
        mapping or {}, faces.class_names, checkpoint.class_names, run_config(checkpoint)
    )
    lookup = class_numbers(used, faces.class_names, checkpoint.class_names)
    everything, learned = _scored_part(checkpoint, faces)
    usable = everything[lookup[faces.labels[everything]] >= 0]
    if not len(usable):
        raise DataError(
            f"no image of {faces.name} is left to score: none of its classes "
            f"({', '.join(faces.class_names)}) counts as one that the checkpoint knows "
            f"({', '.join(checkpoint.class_names)}); map at least one"
        )
    indices = stratified_sample(lookup[faces.labels[usable]], limit, seed)
    indices = usable[indices]
    labels = lookup[faces.labels[indices]]
    rows = []
    yield Scoring(0, len(indices))
    for done, part in probability_batches(checkpoint, faces, indices):
        rows.append(part)
        if done < len(indices):
            yield Scoring(done, len(indices))
    probabilities = np.concatenate(rows)  # (N, classes)
    answers = answers_of(labels, probabilities.argmax(axis=1))
    own = None if learned else own_answers(checkpoint, np.unique(labels))
    left = everything[lookup[faces.labels[everything]] < 0]
    report = full_report(probabilities, labels, checkpoint.class_names)
    yield Scoring(
        len(indices),
        len(indices),
        {
            "checkpoint": checkpoint.folder.name,
            "data": faces.name,
            "fingerprint": faces.fingerprint,
            "mapping": used,
            "class_names": list(checkpoint.class_names),
            "classes": [checkpoint.class_names[place] for place in np.unique(labels)],
            "left_out": images_per_class(faces, left),
            "available": len(usable),
            "seed": seed,
            **figures(answers),
            "per_class": report["per_class"],
            "confusion": report["confusion"],
            "same_set": learned,
            "twins": _twins(checkpoint, faces, indices, own_faces),
            "own": own and _own_figures(own, checkpoint.class_names),
            "drop": own and unpaired_drop(own.answers, answers),
            "mistakes": _mistakes(checkpoint, faces, indices, labels, probabilities),
        },
    )


def evaluate_domain(*arguments: Any, **options: Any) -> dict[str, Any]:
    """The report of `score_domain` in one call, with the same arguments."""
    return last_report(score_domain(*arguments, **options))


def last_report(steps: Iterator[Scoring]) -> dict[str, Any]:
    """The report that a scoring ends with."""
    *_, last = steps
    assert last.report is not None
    return last.report


def stratified_sample(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Positions of at most `limit` of the labels int (N,), ascending, every class in proportion.

    Each class gives at least one where the limit allows; 0, or a limit of N or more, takes all.
    """
    if limit <= 0 or limit >= len(labels):
        return np.arange(len(labels))
    random = np.random.default_rng(seed)
    present, counts = np.unique(labels, return_counts=True)
    wanted = limit * counts / len(labels)
    quota = np.maximum(1, np.floor(wanted)).astype(int)
    while quota.sum() < limit:  # what rounding down has left over
        quota[np.argmax(wanted - quota)] += 1
    while quota.sum() > limit:  # what the least of one has taken too much
        quota[np.argmax(quota)] -= 1
    chosen = [
        random.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in zip(present, quota, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class OwnAnswers:
    """A checkpoint's answers on the test part of its own run; read_from: the file's name."""

    answers: Answers
    data: str
    read_from: str


def own_answers(checkpoint: Checkpoint, classes: np.ndarray | None = None) -> OwnAnswers | None:
    """What the checkpoint said of its own test images, only those of `classes` (places) if given.

    From predictions.parquet, else from the record's confusion matrix; None when there is neither.
    """
    record = checkpoint.record or {}
    name = str((record.get("data") or {}).get("name") or "its own set")
    found = _stored_predictions(checkpoint), RunFolder(checkpoint.folder).predictions.name
    if found[0] is None:
        found = _stored_confusion(checkpoint), RunFolder(checkpoint.folder).record.name
    answers = found[0]
    if answers is not None and classes is not None:
        answers = answers.of_classes(classes)
    return OwnAnswers(answers, name, found[1]) if answers is not None and answers.n else None


def _own_figures(own: OwnAnswers, names: tuple[str, ...]) -> dict[str, Any]:
    answers = own.answers
    right = answers.predicted[0] == answers.labels
    recall = {
        names[label]: float(
            answers.counts[right & (answers.labels == label)].sum()
            / answers.counts[answers.labels == label].sum()
        )
        for label in np.unique(answers.labels)
    }
    return {**figures(answers), "recall": recall, "data": own.data, "read_from": own.read_from}


def _stored_predictions(checkpoint: Checkpoint) -> Answers | None:
    columns = [f"{PROBABILITY}{name}" for name in checkpoint.class_names]
    try:
        table = pd.read_parquet(RunFolder(checkpoint.folder).predictions)
        table = table[(table["split"] == "test") & (table["label"] >= 0)]
        predicted = table[columns].to_numpy(dtype=np.float64).argmax(axis=1)
    except (OSError, KeyError, ValueError):
        return None
    return answers_of(table["label"].to_numpy(dtype=np.int64), predicted) if len(table) else None


def _stored_confusion(checkpoint: Checkpoint) -> Answers | None:
    test = (checkpoint.record or {}).get("test") or {}
    try:
        names = [row["class"] for row in test["per_class"]]
        confusion = np.asarray(test["confusion"], dtype=np.int64)
    except (KeyError, TypeError, ValueError):
        return None
    same = tuple(names) == checkpoint.class_names and confusion.shape == (len(names), len(names))
    return answers_of_confusion(confusion) if same else None


def _scored_part(checkpoint: Checkpoint, faces: Faces) -> tuple[np.ndarray, bool]:
    """Which images to score, and whether the checkpoint learned from the others.

    Of the newest run's test part those that no run before it, with another split, has used.
    """
    runs, names = list(runs_on(checkpoint, faces)), checkpoint.class_names
    if runs:
        test, _, _ = part_of(faces, runs[0], names, "test")
        earlier = used_images(checkpoint, faces, ("train", "validation"), newest=False)
        test = np.setdiff1d(test, earlier)
        if len(test):
            return test, True
    everything, _, _ = part_of(faces, None, names, "all")
    return everything, bool(runs)


def _twins(
    checkpoint: Checkpoint, faces: Faces, indices: np.ndarray, own_faces: Faces | None
) -> int | None:
    """How many of the images stand pixel for pixel in what the checkpoint trained on."""
    runs = lineage(checkpoint)
    if own_faces is None or not runs or own_faces.images.shape[1:] != faces.images.shape[1:]:
        return None
    _, train, _ = part_of(own_faces, runs[-1][0], checkpoint.class_names, "train")
    return int(has_twin_in(faces.images[indices], own_faces.images[train]).sum())


def _mistakes(
    checkpoint: Checkpoint,
    faces: Faces,
    indices: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> list[dict[str, Any]]:
    names, predicted = checkpoint.class_names, probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_MISTAKES]
    return [
        {
            "index": int(indices[place]),
            "id": str(faces.ids[indices[place]]),
            "true": names[labels[place]],
            "predicted": names[predicted[place]],
            "confidence": float(sure[place]),
        }
        for place in wrong
    ]
