"""The end of a run: choose the best epoch's weights, score each split once, write the record."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from fer_core.data.batches import FaceTensor
from fer_core.data.faces import HELD_OUT, Faces
from fer_core.models import ModelFacts
from fer_core.paths import REPOSITORY, RunFolder, replaced
from fer_core.runs.card import write_card
from fer_core.runs.checkpoint import save_weights
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import repeat_command
from fer_core.runs.record import read_epochs, write_json
from fer_core.training.calibration import at_temperature, fit_temperature
from fer_core.training.dataset import RunData
from fer_core.training.devices import threads_text
from fer_core.training.kernel_fit import KernelTraining
from fer_core.training.loop import Training
from fer_core.training.metrics import calibration_error, full_report, score

#: How the columns of predictions.parquet begin that hold a class's probability.
PROBABILITY = "probability_"


def score_run(
    folder: RunFolder,
    config: RunConfig,
    data: RunData,
    training: Training | KernelTraining,
    facts: ModelFacts,
    device: str,
    seconds: float,
) -> dict[str, Any]:
    """Write predictions.parquet, record.json and card.md; returns the record.

    The test split is looked at here and nowhere else, with the weights that validation chose and at
    the temperature that was fitted on it, which the weights carry from here on. Stored predictions
    are at that temperature, without the mirror image; `test_mirrored` has the scores with it.
    """
    training.deployed.load_state_dict(load_file(folder.weights))
    names = data.faces.class_names
    temperature = _calibrate(folder, config, data, training)
    tables, record = [], _head(folder, config, data, facts, training)
    mirrors = isinstance(training, Training)  # a machine that is fitted once looks at one side
    record |= {
        "state": "finished",
        "best_epoch": training.best_epoch,
        "epochs_run": len(read_epochs(folder)),
        "seconds": round(seconds, 1),
        "train_seconds": round(training.train_seconds, 1),
        "updates": training.updates,
        "images_seen": training.images_seen,
        "device": device,
    }
    record |= {"test": None, "test_without_twins": None, "test_mirrored": None}
    record["calibration"] = {"temperature": temperature, "error_before": {}}
    for part in HELD_OUT:
        indices = getattr(data.split, part)
        if not len(indices):
            continue
        faces = FaceTensor.of(data.faces, indices, training.device)
        labels = data.faces.labels[indices]
        raw = training.predict(faces)
        record["calibration"]["error_before"][part] = calibration_error(raw, labels)
        probabilities = at_temperature(raw, temperature)
        twins = data.with_twin(indices)
        tables.append(prediction_table(data.faces, indices, part, probabilities, twins))
        flipped = None
        if part == "test" and mirrors:
            flipped = at_temperature(training.predict(faces, mirrored=True), temperature)
        record |= part_scores(part, probabilities, flipped, labels, twins, names)
    write_predictions(folder, tables)
    write_json(folder.record, record)
    write_card(folder, config, record)
    return record


def part_scores(
    part: str,
    probabilities: np.ndarray,
    flipped: np.ndarray | None,
    labels: np.ndarray,
    twins: np.ndarray,
    class_names: tuple[str, ...],
) -> dict[str, Any]:
    """What a record holds of a part: its report and, of the test part, the scores without twins, of
    the mean over each image and its mirror image, and of both; None for those there are not.

    probabilities: float (N, classes); flipped: of the mirror images, None where nobody asked for
    them; labels: int (N,); twins: bool (N,), which images have a twin in training.
    """
    found: dict[str, Any] = {part: full_report(probabilities, labels, class_names)}
    if part != "test":
        return found
    rest = ~twins if twins.any() and not twins.all() else None
    found["test_without_twins"] = None if rest is None else score(probabilities[rest], labels[rest])
    found["test_mirrored"] = found["test_mirrored_without_twins"] = None
    if flipped is not None:
        both = (probabilities + flipped) / 2
        found["test_mirrored"] = score(both, labels)
        if rest is not None:
            found["test_mirrored_without_twins"] = score(both[rest], labels[rest])
    return found


def _calibrate(
    folder: RunFolder, config: RunConfig, data: RunData, training: Training | KernelTraining
) -> float:
    """Fit the temperature on the validation part and write it into the weights' header."""
    indices = data.split.validation
    raw = training.predict(FaceTensor.of(data.faces, indices, training.device))
    temperature = fit_temperature(raw, data.faces.labels[indices])
    save_weights(
        folder.weights,
        training.deployed.state_dict(),
        model_name=config.model,
        model_options=training.model_options,
        preprocessing=data.preprocessing,
        class_names=data.faces.class_names,
        temperature=temperature,
    )
    return temperature


def prediction_table(
    faces: Faces, indices: np.ndarray, part: str, probabilities: np.ndarray, twins: np.ndarray
) -> pd.DataFrame:
    """One row per image: id, index, split, label, probability_CLASS, has_twin."""
    columns = {
        f"{PROBABILITY}{name}": probabilities[:, position]
        for position, name in enumerate(faces.class_names)
    }
    return pd.DataFrame(
        {
            "id": faces.ids[indices].astype(str),
            "index": indices,
            "split": part,
            "label": faces.labels[indices],
            **columns,
            "has_twin": twins,
        }
    )


def write_predictions(folder: RunFolder, tables: list[pd.DataFrame]) -> None:
    """Replace a run's predictions.parquet by these parts, in one step."""
    write_table(folder.predictions, pd.concat(tables, ignore_index=True))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Replace a parquet file in one step, its folder made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as scratch:
        table.to_parquet(scratch, index=False)


def _head(
    folder: RunFolder,
    config: RunConfig,
    data: RunData,
    facts: ModelFacts,
    training: Training | KernelTraining,
) -> dict[str, Any]:
    return {
        "name": folder.name,
        "recipe": config.recipe,
        "data": data.describe(training.preparations, training.views),
        "model": {
            "name": facts.name,
            "parameters": facts.parameters,
            "trainable": facts.trainable,
            "gflops": facts.gflops,
        },
        "machine": machine_name(),
        "commit": commit(),
        "versions": versions(),
        "command": repeat_command(config),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def machine_name() -> str:
    """The processor's own name and torch's threads, and the GPU's name when there is one."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        pass
    gpu = f"; {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{name}, {threads_text()}{gpu}"


def commit() -> str:
    """The checkout's commit, with '+' when files differ from it; empty outside a checkout."""
    try:
        call = ("git", "-C", str(REPOSITORY))
        head = subprocess.run(
            [*call, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, timeout=10
        )
        changed = subprocess.run(
            [*call, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if head.returncode:
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in ("torch", "torchvision", "timm", "numpy", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
