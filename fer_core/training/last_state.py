"""last.ckpt of a run folder: everything needed to go on, written whole or not at all."""

from __future__ import annotations

import pickle
from typing import Any

import torch

from fer_core.paths import RunFolder, replaced
from fer_core.runs.record import RunError

#: What torch raises at a file that was cut off or is something else.
_DAMAGED = (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError)


def write_state(folder: RunFolder, state: dict[str, Any]) -> None:
    """Replace it; state: plain values and tensors."""
    with replaced(folder.last) as scratch:
        torch.save(state, scratch)


def read_state(folder: RunFolder, device: torch.device) -> dict[str, Any]:
    """What was written, on the device. RunError where it cannot be read; no code of it is run."""
    try:
        return torch.load(folder.last, map_location=device, weights_only=True)
    except _DAMAGED as error:
        raise RunError(
            f"{folder.last.name} of {folder.name} is damaged, so the run cannot go on from there; "
            "start it anew under another name"
        ) from error
