"""What the steps of a training spend their time on, kernel by kernel: `profile_steps`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from fer_core.comparison.costs.training_speed import run_steps, wait_for
from fer_core.comparison.sweeps.document import TableDocument
from fer_core.training.loop import Training

#: Rows of the table; the rest is added up.
_LISTED = 12
#: Of a kernel's name, whose template arguments may run over lines.
_LETTERS = 90


@dataclass(frozen=True)
class Kernel:
    """name as the profiler has it; launches and milliseconds of one step."""

    name: str
    launches: float
    milliseconds: float


@dataclass(frozen=True)
class StepProfile:
    """milliseconds: of a whole step, which the profiler makes longer; kernels: what ran on the
    device meanwhile, the longest first. None of them where the profiler saw nothing."""

    milliseconds: float
    kernels: tuple[Kernel, ...]


def profile_steps(training: Training, steps: int = 20) -> StepProfile:
    """Mean over `steps` whole steps of a training that is warm. On the CPU its operators are the
    kernels."""
    device = training.device
    cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * cuda
    wait_for(device)
    with profile(activities=activities, acc_events=True) as watched:
        begin = time.perf_counter()
        run_steps(training, steps)
        wait_for(device)
        seconds = time.perf_counter() - begin
    return StepProfile(seconds / steps * 1e3, kernels_of(watched.key_averages(), steps, cuda))


def kernels_of(events: Iterable[Any], steps: int, cuda: bool) -> tuple[Kernel, ...]:
    """What took time, the longest first, of a profiler's averages over so many steps.

    The ranges that torch puts around its optimizers' kernels are no kernels and stand beside them.
    """
    kernels = []
    for event in events:
        if (event.device_type == DeviceType.CUDA) != cuda or (cuda and event.is_user_annotation):
            continue
        spent = event.self_device_time_total if cuda else event.self_cpu_time_total  # microseconds
        kernels.append(Kernel(event.key, event.count / steps, spent / steps / 1e3))
    return tuple(sorted(kernels, key=lambda kernel: -kernel.milliseconds))


def profile_document(name: str, found: StepProfile) -> TableDocument:
    """The longest kernels, the others together, and what no kernel ran in."""
    rows = [
        (kernel.name, kernel.launches, kernel.milliseconds) for kernel in found.kernels[:_LISTED]
    ]
    rest = found.kernels[_LISTED:]
    if rest:
        rows.append(
            (
                f"{len(rest)} others",
                sum(kernel.launches for kernel in rest),
                sum(kernel.milliseconds for kernel in rest),
            )
        )
    busy = sum(kernel.milliseconds for kernel in found.kernels)
    rows.append(("none of them: the device waits", 0.0, max(0.0, found.milliseconds - busy)))
    return TableDocument(
        f"A step's time, {name}",
        ("Kernel", "Launches", "ms", "Of the step"),
        tuple(
            (
                text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…",
                f"{launches:.1f}" if launches else "–",
                f"{spent:.2f}",
                f"{spent / found.milliseconds:.0%}",
            )
            for text, launches, spent in rows
        ),
        ("kernel", "launches", "milliseconds", "share"),
        tuple((*row, row[2] / found.milliseconds) for row in rows),
        frozenset((1, 2, 3)),
        notes=(
            f"Means over whole steps of {found.milliseconds:.1f} ms, watched by the profiler, "
            "which makes them longer.",
        ),
    )
