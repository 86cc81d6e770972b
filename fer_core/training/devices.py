"""Which device a run trains on, and what the page calls it."""

from __future__ import annotations

import torch


def choose_device(wanted: str) -> torch.device:
    """ "auto" takes a CUDA GPU when there is one. RuntimeError for a GPU that is not there."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            "device is cuda, but torch finds no CUDA GPU here; set device=auto or cpu"
        )
    return torch.device(wanted)


def device_name(device: torch.device) -> str:
    """The GPU's own name, or CPU with the number of its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'' if threads == 1 else 's'}"
