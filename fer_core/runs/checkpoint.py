"""Checkpoints: weights that carry their preprocessing, class order and network in their own header.

A folder with weights.safetensors is a checkpoint; a run's folder and a shipped one read alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fer_core.data.batches import scoring_batch
from fer_core.data.preprocess import Preprocessing
from fer_core.models import build_model, describe_model
from fer_core.paths import RunFolder, checkpoint_folder, replaced
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record
from fer_core.runs.weights_header import (
    HEADER,
    CheckpointError,
    check_memory,
    check_weights,
    header_class_names,
    header_preprocessing,
    header_temperature,
    learned_header,
    learned_weights,
    read_header,
)

#: What a damaged file, or a stranger's, can raise on its way to a network.
_UNUSABLE = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Checkpoint:
    """A trained network, ready to classify.

    temperature: logits are divided by it before the softmax; 1 leaves them as they are.
    """

    folder: Path
    model: nn.Module
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    model_name: str
    parameters: int
    gflops: float
    record: dict[str, Any] | None = None
    temperature: float = 1.0

    @torch.inference_mode()
    def probabilities(
        self,
        images: np.ndarray,
        batch_size: int = 0,
        mirrored: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """uint8 (N, H, W, C) → float32 (N, classes), each row summing to 1.

        batch_size: images at once, 0 for as many as suits their size. mirrored: the mean over each
        image and its mirror image, for twice the work. progress(done, total): called after every
        batch, both in images classified. CheckpointError where an answer is no number.
        """
        batch_size = batch_size or scoring_batch(self.preprocessing.image_size, 256)
        total = len(images) * (2 if mirrored else 1)
        rows = self._rows(images, batch_size, 0, total, progress)
        if mirrored:
            again = self._rows(images[:, :, ::-1], batch_size, len(images), total, progress)
            return (rows + again) / 2
        return rows

    def _rows(
        self,
        images: np.ndarray,
        batch_size: int,
        done: int,
        total: int,
        progress: Callable[[int, int], None] | None,
    ) -> np.ndarray:
        device = next(self.model.parameters()).device
        rows = [np.zeros((0, len(self.class_names)), dtype=np.float32)]
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + batch_size]))
            prepared = self.preprocessing(batch.to(device))  # (B, C, S, S)
            logits = self.model(prepared).float() / self.temperature  # (B, classes)
            rows.append(finite(logits.softmax(dim=1).cpu().numpy(), self.folder))
            if progress is not None:
                progress(done + start + len(batch), total)
        return np.concatenate(rows)


def finite(probabilities: np.ndarray, folder: Path) -> np.ndarray:
    """The probabilities float (N, classes) that the checkpoint in `folder` gave, as they are.

    CheckpointError where one is NaN: its weights are numbers, but too large to be computed with.
    """
    if not np.isfinite(probabilities).all():
        raise CheckpointError(
            f"{folder.name} gives answers that are no numbers, so its weights are too large to be "
            "right; choose another checkpoint, or get this one again"
        )
    return probabilities


def save_weights(
    path: Path,
    state: dict[str, torch.Tensor],
    *,
    model_name: str,
    model_options: dict[str, Any],
    preprocessing: Preprocessing,
    class_names: tuple[str, ...],
    temperature: float = 1.0,
) -> None:
    """Write the weights and all that is needed to use them, in one step."""
    header = {
        "model": model_name,
        "model_options": model_options,
        "preprocessing": preprocessing.to_dict(),
        "class_names": list(class_names),
        "temperature": temperature,
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with replaced(path) as scratch:
        save_file(tensors, scratch, metadata={HEADER: json.dumps(header)})


def load_checkpoint(folder: Path, device: str = "cpu", memory: bool = True) -> Checkpoint:
    """Read a checkpoint folder. CheckpointError when it has no usable weights.

    memory: with what the network remembers of its training faces, if it does (`models.recall`).
    """
    place = _with_weights(folder)
    header = read_header(place.weights)
    try:
        state = load_file(place.weights)
        if not memory:
            header, state = learned_header(header), learned_weights(state)
        preprocessing = header_preprocessing(header)
        class_names = header_class_names(header)
        check_memory(header["model_options"], state)
        model = build_model(
            header["model"],
            len(class_names),
            preprocessing.channels,
            preprocessing.image_size,
            header["model_options"],
            fetch_weights=False,
        )
        check_weights(state, model)
        model.load_state_dict(state)
        temperature = header_temperature(header)
        model = model.float().to(device).eval()
        facts = describe_model(
            model, header["model"], preprocessing.channels, preprocessing.image_size
        )
    except _UNUSABLE as error:
        raise CheckpointError(f"{place.weights} cannot be used: {error}") from error
    return Checkpoint(
        folder=place.path,
        model=model,
        preprocessing=preprocessing,
        class_names=class_names,
        model_name=header["model"],
        parameters=facts.parameters,
        gflops=facts.gflops,
        record=read_record(place),
        temperature=temperature,
    )


def _with_weights(folder: str | Path, asked_by: str = "") -> RunFolder:
    place = RunFolder(checkpoint_folder(folder))
    if not place.weights.is_file():
        raise CheckpointError(
            f"{asked_by}{place.path} holds no weights.safetensors; "
            "name a finished run or a shipped checkpoint"
        )
    return place


def read_start(folder: str | Path) -> dict[str, Any]:
    """What a run takes over from the checkpoint that it starts from.

    Keys weights (path), model, model_options, preprocessing (`Preprocessing`), class_names (tuple).
    CheckpointError when the folder holds no usable weights.
    """
    place = _with_weights(folder, "start_from: ")
    header = read_header(place.weights)
    try:
        header = learned_header(header)
        return {
            "weights": place.weights,
            "model": str(header["model"]),
            "model_options": dict(header["model_options"]),
            "preprocessing": header_preprocessing(header),
            "class_names": header_class_names(header),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the header of {place.weights} is damaged: {error}") from error


def load_start(model: nn.Module, config: RunConfig) -> None:
    """Give a fresh network the weights that its run starts from, in place.

    CheckpointError when the checkpoint holds another network than the configuration names.
    """
    start = read_start(config.start_from)
    if start["model"] != config.model:
        raise CheckpointError(
            f"start_from: {config.start_from} holds a {start['model']}, the configuration names "
            f"{config.model!r}; set model={start['model']}"
        )
    try:
        state = learned_weights(load_file(start["weights"]))
        check_weights(state, model)
    except (ValueError, SafetensorError) as error:
        raise CheckpointError(f"start_from: {start['weights']} cannot be used: {error}") from error
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"start_from: the weights in {config.start_from} do not fit {config.model} with "
            f"these options; set model_options={json.dumps(start['model_options'])}"
        ) from error
