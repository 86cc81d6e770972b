"""Fit a checkpoint's temperature and score it again: for weights from before there was one."""

from __future__ import annotations

from typing import Any

import numpy as np
from safetensors.torch import load_file

from fer_core.data.faces import DataError, Faces
from fer_core.data.twins import has_twin_in
from fer_core.paths import RunFolder
from fer_core.runs.card import write_card
from fer_core.runs.checkpoint import load_checkpoint, read_header, save_weights
from fer_core.runs.record import RunError, read_record, write_json
from fer_core.training.calibration import FEWEST_IMAGES, at_temperature, fit_temperature
from fer_core.training.evaluation import part_of, run_config
from fer_core.training.metrics import calibration_error, full_report, score


def recalibrate(folder: RunFolder, faces: Faces, note: str = "") -> dict[str, Any]:
    """Fit on the validation part, write the temperature into the weights, and record and card anew.

    faces: the set that the checkpoint learned from, at its image size. note: Markdown that the card
    ends with. Returns the record. RunError where the folder has no record or configuration,
    DataError where the set is another one or its validation part is too small.
    """
    checkpoint, record = load_checkpoint(folder.path), read_record(folder)
    config = run_config(checkpoint)
    if record is None or config is None:
        raise RunError(f"{folder.path} has no record or no configuration; name a finished run")
    if record["data"]["fingerprint"] != faces.fingerprint:
        raise DataError(
            f"{folder.name} learned from {record['data']['name']}, got {faces.name}, which has "
            "another fingerprint; a temperature is fitted on the checkpoint's own validation part"
        )
    answers: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for part in ("validation", "test"):
        rows, train, _ = part_of(faces, config, checkpoint.class_names, part)
        images = np.asarray(faces.images[rows])
        said = at_temperature(checkpoint.probabilities(images), 1 / checkpoint.temperature)
        flipped = checkpoint.probabilities(images[:, :, ::-1])
        mirrored = at_temperature(flipped, 1 / checkpoint.temperature)
        answers[part] = (said, mirrored, rows)
    said, _, rows = answers["validation"]
    if len(rows) < FEWEST_IMAGES:
        raise DataError(
            f"a temperature needs at least {FEWEST_IMAGES} validation images, got {len(rows)}"
        )
    temperature = fit_temperature(said, faces.labels[rows])
    header = read_header(folder.weights)
    save_weights(
        folder.weights,
        load_file(folder.weights),
        model_name=checkpoint.model_name,
        model_options=header["model_options"],
        preprocessing=checkpoint.preprocessing,
        class_names=checkpoint.class_names,
        temperature=temperature,
    )
    errors = {}
    for part, (said, mirrored, rows) in answers.items():
        if not len(rows):
            continue
        labels = faces.labels[rows]
        errors[part] = calibration_error(said, labels)
        now = at_temperature(said, temperature)
        record[part] = full_report(now, labels, checkpoint.class_names)
        if part != "test":
            continue
        both = (now + at_temperature(mirrored, temperature)) / 2
        record["test_mirrored"] = score(both, labels)
        twins = has_twin_in(np.asarray(faces.images[rows]), faces.images[train])
        if twins.any() and not twins.all():
            record["test_without_twins"] = score(now[~twins], labels[~twins])
            record["test_mirrored_without_twins"] = score(both[~twins], labels[~twins])
    record["calibration"] = {"temperature": temperature, "error_before": errors}
    write_json(folder.record, record)
    write_card(folder, config, record, note)
    return record
