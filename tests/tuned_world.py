"""A small world of two sets: a network is trained on one and fine-tuned on a slice of the other.

Faces are bright squares in noise; the place of the square tells the label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from fer_core.comparison.domains.tuning import TuningPlan, tuning_config
from fer_core.data.readers import read_faces
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_progress
from fer_core.training.evaluation import checked_mapping
from fer_core.training.job import create_run
from fer_core.training.run import execute_run

#: Classes of the other set, the place of their square, and what they count as.
OTHER = {"anger": (1, "angry"), "joy": (3, "happy"), "sadness": (4, "sad"), "pain": (6, "")}
EACH = 24


@dataclass(frozen=True)
class World:
    """home: a set like FER2013; away: a folder of anger, joy, sadness and pain; start: a run that
    learned home; tuned: one that went on from it on a slice of away."""

    home: Path
    away: Path
    start: RunFolder
    tuned: RunFolder
    runs: Path


def make_world(folder: Path) -> World:
    """Both sets and both runs, under `folder`; takes a few seconds."""
    home, away = _home(folder / "home.csv"), _away(folder / "away")
    config = RunConfig(
        data=str(home),
        model="expressnet_demo",
        model_options={"widths": [4, 8, 8]},
        epochs=8,
        batch_size=16,
        learning_rate=0.01,
        device="cpu",
    )
    start = _run(config, folder / "runs", "start")
    checkpoint = load_checkpoint(start.path)
    mapping = checked_mapping({}, read_faces(away).class_names, checkpoint.class_names)
    plan = TuningPlan(0.4, frozen_share=0.3, learning_rate=0.01, epochs=8, batch_size=8)
    tuning = replace(tuning_config(checkpoint, str(away), mapping, plan), device="cpu")
    tuned = _run(tuning, folder / "runs", "tuned")
    return World(home, away, start, tuned, folder / "runs")


def _run(config: RunConfig, runs: Path, name: str) -> RunFolder:
    folder = create_run(config, runs, name)
    execute_run(folder)
    assert read_progress(folder).state == "finished", read_progress(folder).reason
    return folder


def _square(place: int, random: np.random.Generator) -> np.ndarray:
    image = random.integers(0, 60, (48, 48), dtype=np.uint8)
    image[6 * place : 6 * place + 8, 10:30] = 220
    return image


def _home(path: Path) -> Path:
    """140 faces in FER2013's form, a square at the place of the label's number."""
    random = np.random.default_rng(1)
    usages = ("Training", "Training", "PublicTest", "Training", "PrivateTest")
    lines = ["emotion,pixels,Usage"]
    for row in range(140):
        pixels = " ".join(map(str, _square(row % 7, random).ravel()))
        lines.append(f"{row % 7},{pixels},{usages[row // 7 % 5]}")
    path.write_text("\n".join(lines) + "\n")
    return path


def _away(folder: Path) -> Path:
    """A folder per class with colour pictures of 40 pixels, whose squares lie elsewhere."""
    random = np.random.default_rng(2)
    for name, (place, _) in OTHER.items():
        (folder / name).mkdir(parents=True)
        for number in range(EACH):
            picture = Image.fromarray(_square(place, random)).convert("RGB").resize((40, 40))
            picture.putpixel((0, 0), (255, 0, 0))
            picture.save(folder / name / f"{number:02d}.png")
    return folder
