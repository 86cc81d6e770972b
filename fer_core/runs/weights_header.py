"""What a file of weights says of itself in its header, and what must hold of both.

Enters: a safetensors file, its header or its tensors. Leaves: the values of the header, checked; a
stranger's file could ask for gigabytes or hold no numbers.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from fer_core.data.preprocess import Preprocessing
from fer_core.runs.limits import BOUNDS
from fer_core.runs.record_fields import header_misfit

#: The one entry of the file's header that is ours.
HEADER = "fer_core"
#: How the options and the weights of a memory begin. It belongs to the weights that it was made
#: for: what learns on from a checkpoint goes without it.
_REMEMBERED, _MEMORY = "remembered", "recall."


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message says which, why and what to do."""


def read_header(weights: Path) -> dict[str, Any]:
    """Network, preprocessing and classes of a weights file, without its tensors."""
    try:
        with safe_open(weights, framework="pt") as file:
            text = (file.metadata() or {}).get(HEADER)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{weights} is no readable safetensors file: {error}") from error
    if text is None:
        raise CheckpointError(f"{weights} has no '{HEADER}' header; it was not written by this app")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the header of {weights} is damaged: {error}") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"the header of {weights} is damaged: it is no table of names")
    if misfit := header_misfit(header):
        raise CheckpointError(f"the header of {weights} is damaged: {misfit}; get the file again")
    return header


def header_preprocessing(header: dict[str, Any]) -> Preprocessing:
    """ValueError for pictures of a size that no run can have: a stranger's file could ask for a
    gigabyte."""
    values = header["preprocessing"]
    low, high = BOUNDS["image_size"]
    size = values["image_size"]
    if not (isinstance(size, int) and low <= size <= high):
        raise ValueError(f"its image_size must be {low} to {high} pixels, got {size!r}")
    return Preprocessing.from_dict(values)


def header_class_names(header: dict[str, Any]) -> tuple[str, ...]:
    names = tuple(str(name) for name in header["class_names"])
    if len(set(names)) < len(names):
        raise ValueError(f"its header names a class twice ({', '.join(names)})")
    return names


def header_temperature(header: dict[str, Any]) -> float:
    value = float(header["temperature"])
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"its temperature must be above 0, got {value}")
    return value


def learned_header(header: dict[str, Any]) -> dict[str, Any]:
    """The header of the same network without a memory."""
    options = header["model_options"].items()
    learned = {key: value for key, value in options if not key.startswith(_REMEMBERED)}
    return {**header, "model_options": learned}


def learned_weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the network learned, without what it remembers."""
    return {name: value for name, value in state.items() if not name.startswith(_MEMORY)}


def check_weights(state: dict[str, torch.Tensor], model: nn.Module) -> None:
    """ValueError where a weight is of another kind than the network's, which would be rounded
    without a word, or is NaN or infinite, so that every answer would be."""
    wanted = model.state_dict()
    for name, value in state.items():
        floats = value.is_floating_point()
        if name in wanted and wanted[name].is_floating_point() != floats:
            kind = "whole numbers" if floats else "floating-point numbers"
            raise ValueError(
                f"{name} must hold {kind}, got {str(value.dtype).removeprefix('torch.')}"
            )
        if floats and not value.isfinite().all():
            raise ValueError(f"{name} holds values that are no finite numbers")


def check_memory(options: dict[str, Any], state: dict[str, torch.Tensor]) -> None:
    """ValueError where the header promises a memory of another size than the file holds, before
    the network is built with it: a stranger's header could ask for gigabytes."""
    faces = options.get(_REMEMBERED, 0)
    kept = state.get(f"{_MEMORY}codes")
    if faces and kept is not None and len(kept) != faces:
        raise ValueError(f"its header says {faces:,} remembered faces, it holds {len(kept):,}")
    if faces and kept is None and "remembered_codes" in options:
        raise ValueError(f"its header says {faces:,} remembered faces, it holds none")
