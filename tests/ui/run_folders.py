"""Run folders made by hand, with the files and keys that a real run writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.faces import Faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import Progress, append_epoch, write_json, write_progress


def fake_run(
    runs_folder: Path,
    name: str,
    state: str = "finished",
    epochs: int = 4,
    accuracy: float = 0.684,
    config: RunConfig | None = None,
    faces: Faces | None = None,
    reason: str = "",
    queued_at: float = 1000.0,
) -> RunFolder:
    """A run folder in the given state. faces: writes predictions for every one of them as test."""
    config = config or RunConfig(recipe="quick", model="expressnet_demo", epochs=8, seed=len(name))
    folder = RunFolder(runs_folder / name)
    folder.path.mkdir(parents=True)
    folder.config.write_text(config.to_json())
    random = np.random.default_rng(len(name))
    for epoch in range(1, epochs + 1):
        rise = 1 - 0.7**epoch
        values = {
            "epoch": epoch,
            "train_loss": 1.95 - 1.3 * rise + random.normal(0, 0.02),
            "train_accuracy": 0.15 + (accuracy - 0.12) * rise + random.normal(0, 0.01),
            "validation_loss": 1.95 - 1.1 * rise + random.normal(0, 0.04),
            "validation_accuracy": 0.15 + (accuracy - 0.15) * rise + random.normal(0, 0.015),
            "validation_macro_f1": 0.14 + (accuracy - 0.18) * rise,
            "learning_rate": 0.004,
            "seconds": 11.5,
            "images_per_second": 431.0,
        }
        append_epoch(folder, values)
    running = state == "running"
    progress = Progress(
        state=state,
        reason=reason,
        epoch=epochs,
        epochs=config.epochs,
        step=30 if running else 0,
        steps=80,
        images_per_second=431.0 if epochs else 0.0,
        seconds_left=52.0 if running else None,
        device="CPU, 2 threads" if epochs else "",
        queued_at=queued_at,
    )
    write_progress(folder, progress)
    folder.log.write_text("".join(f"epoch {n}: a line of the log\n" for n in range(1, epochs + 1)))
    if state == "finished":
        write_json(folder.record, fake_record(name, config, accuracy, epochs, faces))
    if faces is not None:
        write_predictions(folder, faces)
    return folder


def fake_record(
    name: str, config: RunConfig, accuracy: float, epochs: int, faces: Faces | None = None
) -> dict[str, Any]:
    classes = FER2013_CLASSES if faces is None else faces.class_names
    support = [491, 55, 528, 879, 594, 416, 626][: len(classes)]
    confusion = []
    for row, count in enumerate(support):
        right = round(count * (accuracy + 0.06 * (row % 3 - 1)))
        spread = np.diff(np.linspace(0, count - right, len(classes)).round().astype(int))
        counts = [int(part) for part in spread]
        counts.insert(row, right)
        confusion.append(counts)
    total = sum(support)
    score = {
        "accuracy": accuracy,
        "interval": [accuracy - 0.015, accuracy + 0.015],
        "macro_f1": accuracy - 0.02,
        "weighted_f1": accuracy - 0.005,
        "n": total,
    }
    per_class = [
        {"class": label, "precision": 0.7, "recall": 0.66, "f1": 0.68, "support": count}
        for label, count in zip(classes, support, strict=True)
    ]
    return {
        "name": name,
        "recipe": config.recipe,
        "state": "finished",
        "data": {
            "source": config.data,
            "name": "drawn faces" if faces is None else faces.name,
            "fingerprint": "" if faces is None else faces.fingerprint,
            "class_names": list(classes),
            "counts": {"test": dict(zip(classes, support, strict=True))},
        },
        "model": {
            "name": config.model,
            "parameters": 98_311,
            "trainable": 98_311,
            "gflops": 0.0123,
        },
        "best_epoch": epochs,
        "epochs_run": epochs,
        "seconds": 96.4,
        "device": "CPU, 2 threads",
        "machine": "a test",
        "commit": None,
        "versions": {},
        "command": "python -m fer_core train --recipe quick --data drawn",
        "validation": {**score, "loss": 0.9},
        "test": {**score, "loss": 0.9, "per_class": per_class, "confusion": confusion},
        "test_without_twins": {**score, "accuracy": accuracy - 0.01, "n": total - 288},
    }


def write_predictions(folder: RunFolder, faces: Faces, wrong: int = 30) -> None:
    """Every image as a test image, the first `wrong` named as the next class, ever less surely."""
    classes = len(faces.class_names)
    named = faces.labels.copy()
    named[:wrong] = (named[:wrong] + 1) % classes
    sure = np.linspace(0.97, 0.5, len(faces))  # (N,)
    probabilities = np.repeat((1 - sure)[:, None] / (classes - 1), classes, axis=1)
    probabilities[np.arange(len(faces)), named] = sure  # (N, classes)
    frame = pd.DataFrame(
        {
            "id": faces.ids,
            "index": np.arange(len(faces)),
            "split": "test",
            "label": faces.labels,
            "has_twin": False,
        }
    )
    for place, label in enumerate(faces.class_names):
        frame[f"probability_{label}"] = probabilities[:, place].astype(np.float32)
    frame.to_parquet(folder.predictions)
