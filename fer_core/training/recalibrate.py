"""Fit a checkpoint's temperature and score it again: for weights from before there was one, and for
those that are to be kept in half precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from fer_core.data.faces import HELD_OUT, DataError, Faces
from fer_core.data.split import Split
from fer_core.data.twins import has_twin_in
from fer_core.models import KERNEL_MODEL
from fer_core.paths import RunFolder
from fer_core.runs.card import CARD_FIELDS, card_note, write_card
from fer_core.runs.checkpoint import Checkpoint, load_checkpoint, save_weights
from fer_core.runs.config import RunConfig
from fer_core.runs.record import RunError, checked_record, write_json
from fer_core.runs.weights_header import read_header
from fer_core.training.calibration import FEWEST_IMAGES, at_temperature, fit_temperature
from fer_core.training.dataset import as_run_faces, run_split
from fer_core.training.evaluation import run_config
from fer_core.training.metrics import calibration_error
from fer_core.training.scoring import part_scores, prediction_table, write_predictions


@dataclass(frozen=True)
class OwnSet:
    """A finished run with the set that it learned from: `faces` as the run saw them."""

    checkpoint: Checkpoint
    config: RunConfig
    record: dict[str, Any]
    faces: Faces
    split: Split


def own_set(folder: RunFolder, faces: Faces, why: str, memory: bool = True) -> OwnSet:
    """The run in `folder` with `faces`, which must be the set that it learned from.

    why: what another set would not do for, as the end of the refusal. memory: see
    `load_checkpoint`. RunError where the folder has no record or configuration, DataError where
    the set is another one.
    """
    checkpoint = load_checkpoint(folder.path, memory=memory)
    config, record = run_config(checkpoint), checked_record(folder, *CARD_FIELDS)
    if record is None or config is None:
        raise RunError(f"{folder.path} has no record or no configuration; name a finished run")
    seen = as_run_faces(faces, config, checkpoint.class_names)
    if record["data"]["fingerprint"] != seen.fingerprint:
        raise DataError(
            f"{folder.name} learned from {record['data']['name']}, got {faces.name}, which has "
            f"another fingerprint; {why}"
        )
    return OwnSet(checkpoint, config, record, seen, run_split(seen, config))


def recalibrate(
    folder: RunFolder, faces: Faces, note: str = "", half: bool = False
) -> dict[str, Any]:
    """Fit on the validation part, write the temperature into the weights, and record and card anew.

    faces: the set that the checkpoint learned from, at its image size. note: Markdown that the card
    ends with; without one, that of the card that is there. half: keep the weights in half
    precision, which halves the file; what is scored are the rounded ones. Returns the record.
    Raises what `own_set` raises, and DataError where the validation part is too small.
    """
    own = own_set(folder, faces, "a temperature is fitted on the checkpoint's own validation part")
    checkpoint, record, seen, split = own.checkpoint, own.record, own.faces, own.split
    if len(split.validation) < FEWEST_IMAGES:
        raise DataError(
            f"a temperature needs at least {FEWEST_IMAGES} validation images, got "
            f"{len(split.validation)}"
        )
    state = load_file(folder.weights)
    if half:
        state = halved(state)
        checkpoint.model.load_state_dict(state)
    # not turned back from what it says at its temperature: a low one rounds small shares to nothing
    plain = replace(checkpoint, temperature=1.0)
    answers: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for part in HELD_OUT:
        rows = getattr(split, part)
        images = np.asarray(seen.images[rows])
        said, mirrored = map(plain.probabilities, (images, images[:, :, ::-1]))
        answers[part] = (said, mirrored, rows)
    said, _, rows = answers["validation"]
    temperature = fit_temperature(said, seen.labels[rows])
    header = read_header(folder.weights)
    save_weights(
        folder.weights,
        state,
        model_name=checkpoint.model_name,
        model_options=header["model_options"],
        preprocessing=checkpoint.preprocessing,
        class_names=checkpoint.class_names,
        temperature=temperature,
    )
    errors, tables = {}, []
    for part, (said, mirrored, rows) in answers.items():
        if not len(rows):
            continue
        labels = seen.labels[rows]
        errors[part] = calibration_error(said, labels)
        now = at_temperature(said, temperature)
        twins = has_twin_in(np.asarray(seen.images[rows]), seen.images[split.train])
        tables.append(prediction_table(seen, rows, part, now, twins))
        flipped = None
        if checkpoint.model_name != KERNEL_MODEL:  # as at the end of its run
            flipped = at_temperature(mirrored, temperature)
        record |= part_scores(part, now, flipped, labels, twins, checkpoint.class_names)
    record["calibration"] = {"temperature": temperature, "error_before": errors}
    if half:
        record["model"]["half_precision"] = True
    if folder.predictions.is_file():  # a run's; a shipped checkpoint has none
        write_predictions(folder, tables)
    write_json(folder.record, record)
    write_card(folder, own.config, record, note or card_note(folder))
    return record


def halved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same weights, those of convolutions and layers in half precision.

    What has one dimension (biases, normalisation with its variances) is small and stays float32.
    """
    return {
        name: value.half() if value.is_floating_point() and value.ndim > 1 else value
        for name, value in state.items()
    }
