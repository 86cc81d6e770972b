"""The page results/gpu.md: how fast a recipe trains on one GPU, all of it measured in one call."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from fer_core.comparison.costs.race import CODES, race
from fer_core.comparison.costs.step_profile import (
    Kernel,
    StepProfile,
    profile_document,
    profile_steps,
)
from fer_core.comparison.costs.training_speed import (
    WORKERS,
    speed_settings,
    step_rate,
    usual_rate,
    warm_training,
)
from fer_core.comparison.sweeps.document import TableDocument, to_markdown
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import repeat_command
from fer_core.runs.shipping import without_path
from fer_core.training.dataset import load_run_data
from fer_core.training.devices import device_name
from fer_core.training.scoring import commit, versions

#: Accuracies on the validation part that a race is run to.
TARGETS = (0.65, 0.70)
#: Steps that a rate is measured over, unless said otherwise.
STEPS = 100


def measure_training(
    config: RunConfig,
    device: torch.device,
    targets: Sequence[float] = TARGETS,
    steps: int = STEPS,
    workers: int = WORKERS,
    show: Callable[[str], None] = lambda line: None,
    keep: Callable[[dict[str, Any]], None] = lambda report: None,
    settings: Mapping[str, RunConfig] | None = None,
) -> dict[str, Any]:
    """The usual way's rate; then race, rate and profile of the run as it is and compiled.

    settings: what is raced, by name; by default `speed_settings`. show: told in a line what comes
    next and what was found. keep: given the report after each setting, so that what was measured
    outlives a measurement that is cut off. Keys device, command, commit, versions, targets, steps,
    batch_size, settings {name: what `Race` and `Rate` have}, usual {images_per_second, workers},
    profiles {name: a `StepProfile`}.
    """
    data = load_run_data(config)
    show(f"the usual way: {workers} workers")
    usual = usual_rate(dataclasses.replace(config, compiled=False), data, device, steps, workers)
    show(f"the usual way: {usual.images_per_second:,.0f} images/s")
    report: dict[str, Any] = {
        "device": device_name(device),
        "command": repeat_command(without_path(config)),
        "commit": commit(),
        "versions": versions(),
        "targets": list(targets),
        "steps": steps,
        "batch_size": config.batch_size,
        "settings": {},
        "usual": {"images_per_second": usual.images_per_second, "workers": workers},
        "profiles": {},
    }
    for name, setting in (settings or speed_settings(config)).items():
        show(f"{name}: images a second, and what a step's time goes by")
        warm = warm_training(setting, data, device)
        rate = step_rate(warm.training, steps)
        report["profiles"][name] = dataclasses.asdict(profile_steps(warm.training))
        show(f"{name}: {rate.images_per_second:,.0f} images/s")
        show(f"{name}: to {', '.join(f'{target:.0%}' for target in targets)}")
        run = race(warm, targets)
        report["settings"][name] = {**dataclasses.asdict(run), **dataclasses.asdict(rate)}
        keep(report)
    return report


def training_document(report: dict[str, Any]) -> TableDocument:
    """One row for each setting and one for the usual way."""
    targets = report["targets"]
    usual = report["usual"]["images_per_second"]
    headers = (
        "Fed by",
        "Images/s",
        "Times the usual way",
        "Outside the network",
        *(f"Seconds to {target:.0%}" for target in targets),
        "Epochs",
        "Accuracy at the end",
        "With a memory",
        "Seconds until then",
        "Seconds before the first step",
    )
    plain_headers = (
        *("fed_by", "images_per_second", "ratio", "outside"),
        *(f"seconds_to_{target:g}" for target in targets),
        *("epochs", "accuracy", "remembering", "remembered", "making"),
    )
    rows, plain = [], []
    for name, row in report["settings"].items():
        seconds = [row["seconds"][target] for target in targets]
        rate = row["images_per_second"]
        plain.append(
            (
                *(f"this project, {name}", rate, rate / usual, row["outside"], *seconds),
                *(row["epochs"], row["accuracy"], row["remembering"], row["remembered"]),
                row["making"],
            )
        )
        rows.append(
            (
                f"this project, {name}",
                f"{rate:,.0f}",
                f"{rate / usual:.1f}",
                f"{row['outside']:.0%}",
                *("not reached" if value is None else f"{value:.1f}" for value in seconds),
                f"{row['epochs']}",
                f"{row['accuracy']:.2%}",
                "–" if row["remembering"] is None else f"{row['remembering']:.2%}",
                "–" if row["remembered"] is None else f"{row['remembered']:.1f}",
                f"{row['making']:.1f}",
            )
        )
    blanks = len(targets) + 6
    name = f"torchvision's FER2013, PIL transforms, {report['usual']['workers']} workers"
    plain.append((name, usual, 1.0, *[None] * blanks))
    rows.append((name, f"{usual:,.0f}", "1.0", *["–"] * blanks))
    note = (
        f"{report['device']}, batches of {report['batch_size']}, commit {report['commit']}, "
        + ", ".join(f"{package} {number}" for package, number in report["versions"].items())
        + ". Accuracy is that of the validation part, after every epoch; its evaluation is in the "
        "seconds; compiling and one epoch of warming up are not."
    )
    if any(row["remembering"] is not None for row in report["settings"].values()):
        note += (
            f" With a memory: {CODES} bytes of each training face, fitted after the last epoch; "
            "its share of an answer is chosen on the validation part, too."
        )
    return TableDocument(
        "Training on one GPU",
        headers,
        tuple(rows),
        plain_headers,
        tuple(plain),
        frozenset(range(1, len(headers))),
        notes=(note,),
    )


def profile_documents(report: dict[str, Any]) -> list[TableDocument]:
    """One for each setting."""
    found = []
    for name, seen in report["profiles"].items():
        kernels = tuple(Kernel(**kernel) for kernel in seen["kernels"])
        found.append(profile_document(name, StepProfile(seen["milliseconds"], kernels)))
    return found


def training_page(report: dict[str, Any]) -> str:
    """The Markdown page with its tables and the command of the run."""
    timed = "" if report["steps"] == STEPS else f" --steps {report['steps']}"
    text = [
        "# Time to accuracy",
        "",
        f"Written by `python -m fer_core bench --gpu{timed}` on {time.strftime('%Y-%m-%d')}. "
        "The run:",
        "",
        "```",
        report["command"],
        "```",
        "",
        to_markdown(training_document(report)),
    ]
    for document in profile_documents(report):
        text += ["", to_markdown(document)]
    return "\n".join(text).rstrip() + "\n"
