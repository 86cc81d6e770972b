"""One run or checkpoint in detail: scores in words, per-class table, mistakes; deleting a run."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.kept_answers import answers_file
from fer_core.comparison.wording import whole_percent
from fer_core.data.faces import DataError
from fer_core.labels import colour
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import repeat_command
from fer_core.runs.record import RunError, read_progress
from fer_core.runs.shipping import without_path
from fer_core.training.dataset import read_run_faces
from fer_core.training.job import delete_run
from fer_core.training.scoring import PROBABILITY
from fer_core.ui.experiments.run_views import (
    SHIPPED,
    duration,
    find_run,
    percent,
    read_config,
    test_sentence,
)
from fer_core.ui.shared.face_grid import GridFace
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.run_form import source_name

PER_CLASS_COLUMNS = ("Expression", "Precision %", "Recall %", "F1 %", "Test images")
MOST_MISTAKES = 24
DELETING_CLOSED = "Deleting is closed on this published page."


def per_class_table(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Precision, recall, F1 and number of test images per expression; None without a test.

    As `gr.Dataframe` takes it: numbers to sort by, texts with one decimal to read.
    """
    rows = ((record or {}).get("test") or {}).get("per_class")
    if not rows:
        return None
    figures = [
        [row["class"]]
        + [round(100 * row[name], 1) for name in ("precision", "recall", "f1")]
        + [int(row["support"])]
        for row in rows
    ]
    texts = [
        [name, *(f"{value:.1f}" for value in shares), f"{support:,}"]
        for name, *shares, support in figures
    ]
    return {
        "headers": list(PER_CLASS_COLUMNS),
        "data": figures,
        "metadata": {"display_value": texts},
    }


def summary_html(folder: RunFolder, record: Mapping[str, Any] | None) -> str:
    """One run in a few lines: its test result and what it was made with, or what is missing."""
    if not record or not record.get("test"):
        state = read_progress(folder).state
        if record:
            return (
                "<p>This run is <b>finished</b> and has no test result: its split left no image to "
                "test on. Its validation result is in the leaderboard.</p>"
            )
        return (
            f"<p>This run is <b>{html.escape(state)}</b> and has no test result: the test split is "
            "scored once, after the last epoch. Watch or resume it in the <b>Train</b> tab.</p>"
        )
    model, data = record.get("model") or {}, record.get("data") or {}
    validation = record.get("validation") or {}
    remembers = ", with its memory" if model.get("memory") else ""
    facts = {
        "model": model.get("name"),
        "parameters": f"{model['parameters']:,}" if model.get("parameters") else None,
        "GFLOPs": f"{model['gflops']:.3g}" if model.get("gflops") else None,
        "data": data.get("name"),
        "best epoch": _of(record.get("best_epoch"), record.get("epochs_run")),
        f"validation{remembers}": (
            percent(validation["accuracy"]) if "accuracy" in validation else None
        ),
        "time with validation": duration(record["seconds"]) if record.get("seconds") else None,
        "device": record.get("device"),
    }
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{html.escape(str(value))}</dd></div>"
        for name, value in facts.items()
        if value
    )
    return f"<p class='result'>{test_sentence(record)}</p><dl class='wide'>{cells}</dl>"


def _of(part: Any, whole: Any) -> str | None:
    return None if part is None else str(part) if whole is None else f"{part} of {whole}"


def config_and_command(
    settings: AppSettings, folder: RunFolder, record: Mapping[str, Any] | None
) -> tuple[str, str]:
    """(config.json, the command that repeats the run); "" for what cannot be read.

    On a published page without the path of the owner's data.
    """
    config = read_config(folder)
    if settings.public:
        shown = without_path(config) if config else None
        return (shown.to_json(), repeat_command(shown)) if shown else ("", "")
    try:
        text = folder.config.read_text(encoding="utf-8")
    except (OSError, ValueError):  # no file, no text
        text = ""
    command = (record or {}).get("command") or (repeat_command(config) if config else "")
    return text, command


def mistakes(
    settings: AppSettings, folder: RunFolder, record: Mapping[str, Any] | None
) -> list[GridFace]:
    """The most confident mistakes on the test split, the surest first.

    DataError, in a sentence for the page, when there are no predictions or the images are gone.
    """
    answers = answers_file(folder)
    if not answers.is_file():
        raise DataError(f"There are no kept predictions to look through{_how(settings, folder)}.")
    config = read_config(folder)
    if config is None:
        raise DataError("The run's configuration cannot be read, so its data is not known.")
    name, data = source_name(config.data), (record or {}).get("data") or {}
    if settings.public and config.data.partition(":")[0] != "drawn":
        raise DataError(f"Images of {name} are not shown on this published page.")
    if record is not None and not record.get("test"):
        raise DataError("This run has no test images, so there are no mistakes on them.")
    try:
        wrong = wrong_predictions(pd.read_parquet(answers))
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise DataError(
            f"The kept predictions are damaged: {answers.name} cannot be read."
        ) from error
    if wrong.empty:
        raise DataError("Every test image was named right.")
    try:
        faces = read_run_faces(_at_hand(config, settings), None, data.get("class_names"))
    except (DataError, OSError) as error:
        raise DataError(
            f"The images cannot be shown, because the data set {name} "
            f"cannot be read any more: {error}"
        ) from error
    seen = data.get("fingerprint")
    if (seen and seen != faces.fingerprint) or wrong["place"].max() >= len(faces):
        raise DataError(
            f"The images cannot be shown, because the data set {name} has changed since this run."
        )
    return [
        GridFace(
            np.asarray(faces.images[row.place]),
            f"true {row.true} → predicted {row.predicted} {whole_percent(row.confidence)}",
            colour=colour(row.true),
        )
        for row in wrong.itertuples()
    ]


def _how(settings: AppSettings, folder: RunFolder) -> str:
    """How predictions come to be kept, where that is in a visitor's hands."""
    if settings.public:
        return ""
    if folder.path.parent == SHIPPED_CHECKPOINTS:
        return "; a shipped checkpoint has them once it was compared in Equal budgets"
    return "; a run has them when it is finished"


def _at_hand(config: RunConfig, settings: AppSettings) -> RunConfig:
    """With the set of that name in the data folder, where the run's own path leads nowhere."""
    here = settings.data_folder / Path(config.data).name
    gone = not Path(config.data).expanduser().exists()
    return replace(config, data=str(here)) if gone and here.exists() else config


def wrong_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """The surest wrong rows of the test split: place in the data, true, predicted, confidence.

    predictions: as in predictions.parquet; its probability columns stand in class order.
    """
    columns = [name for name in predictions.columns if name.startswith(PROBABILITY)]
    names = np.array([name.removeprefix(PROBABILITY) for name in columns])
    test = predictions[(predictions["split"] == "test") & (predictions["label"] >= 0)]
    labels = test["label"].to_numpy(dtype=np.int64)
    probabilities = test[columns].to_numpy(dtype=np.float32)  # (N, classes)
    best = probabilities.argmax(axis=1)
    frame = pd.DataFrame(
        {
            "place": test["index"].to_numpy(dtype=np.int64),
            "true": names[labels],
            "predicted": names[best],
            "confidence": probabilities.max(axis=1),
        }
    )
    frame = frame[labels != best].sort_values("confidence", ascending=False, kind="stable")
    return frame.head(MOST_MISTAKES)


def deletable_run(settings: AppSettings, name: object) -> RunFolder:
    """The run that may be deleted. RunError for a shipped checkpoint and on a published page."""
    if settings.public:
        raise RunError(DELETING_CLOSED)
    if isinstance(name, str) and name.startswith(SHIPPED):
        raise RunError("a shipped checkpoint belongs to the program and cannot be deleted here")
    return find_run(settings.runs_folder, name)


def delete(settings: AppSettings, name: object) -> str:
    """Delete a run for good and say so. RunError while it runs."""
    folder = deletable_run(settings, name)
    delete_run(folder)
    return f"{folder.name} is deleted."
