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


def try_kernels(device: torch.device, deterministic: bool) -> None:
    """On a GPU, let cuDNN time its kernels for every size that comes and keep the fastest."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = not deterministic


def computes_in_half(precision: str, device: torch.device) -> bool:
    """Whether networks compute in bfloat16, by a run's `precision`; "auto" does it on a GPU."""
    return precision == "bfloat16" or (precision == "auto" and device.type == "cuda")


def threads_text() -> str:
    """ "1 thread", "2 threads": what torch computes with here."""
    count = torch.get_num_threads()
    return f"{count} thread{'' if count == 1 else 's'}"


def device_name(device: torch.device) -> str:
    """The GPU's own name, or CPU with the number of its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {threads_text()}"
