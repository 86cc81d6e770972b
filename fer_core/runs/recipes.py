"""Recipes: named, ready settings of a run, each with a title and a sentence for the page."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

from fer_core.data.augment import POLICIES
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipe import Recipe, recipe
from fer_core.runs.reference_recipes import REFERENCE_RECIPES

_OWN = (
    recipe(
        "quick",
        "Quick look",
        "A small network on the drawn faces: the whole way from start to leaderboard in under two "
        "minutes on two processor cores.",
        data="drawn",
        model="expressnet_demo",
        epochs=10,
        batch_size=64,
        optimizer="adamw",
        learning_rate=6e-3,
        weight_decay=0.01,
        schedule="one_cycle",
        ema_decay=0.98,
        augment=POLICIES["light"],
    ),
    recipe(
        "expressnet",
        "ExpressNet",
        "This project's own small residual network with the settings that made the shipped "
        "checkpoint of that name: SGD with Nesterov momentum, one cycle to 0.1, averaged "
        "weights, mild augmentation. Meant for FER2013: choose it in the Data tab first. About an "
        "hour on one processor core.",
        model="expressnet",
        epochs=36,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=5e-4,
        schedule="one_cycle",
        label_smoothing=0.1,
        ema_decay=0.998,
        augment=POLICIES["standard"],
    ),
    recipe(
        "expressnet_nano",
        "ExpressNet, very small",
        "Separable convolutions, 57,071 weights and 0.016 GFLOPs, with the settings that made the "
        "shipped checkpoint expressnet-nano: it learns from the labels and, for most of its loss, "
        "from the answers of the shipped expressnet. Meant for FER2013: choose it in the Data tab "
        "first. About 80 minutes on one processor core.",
        model="expressnet_nano",
        model_options={"widths": [40, 72, 96], "depths": [3, 4, 2], "head": 96},
        epochs=44,
        batch_size=128,
        optimizer="adamw",
        learning_rate=6e-3,
        weight_decay=0.02,
        schedule="one_cycle",
        label_smoothing=0.1,
        ema_decay=0.998,
        teachers=("checkpoints/expressnet",),
        teacher_share=0.7,
        augment=replace(
            POLICIES["standard"],
            rotation_degrees=8,
            shift_fraction=0.05,
            zoom_fraction=0,
            brightness=0,
            contrast=0,
            erase_probability=0,
        ),
    ),
    recipe(
        "expressnet_base",
        "ExpressNet, wider",
        "The same kind of network with four times the weights (2.74 million, 0.39 GFLOPs), with "
        "the settings that made the shipped checkpoint expressnet-base: blurred, grainy, darker "
        "faces in other surroundings, FER+ votes and the answers of the shipped expressnet-small "
        "as part of the target. Meant for FER2013 with its votes (fer2013new.csv beside the csv; "
        "without them set votes_share=0). It took 4.1 hours on two processor cores.",
        model="expressnet",
        model_options={"widths": [64, 128, 256], "depths": [1, 2, 2]},
        epochs=60,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=5e-4,
        schedule="one_cycle",
        ema_decay=0.999,
        votes_share=0.4,
        votes_read="labels",
        teachers=("checkpoints/expressnet-small",),
        teacher_share=0.3,
        teacher_temperature=1,
        teacher_sees="original",
        augment=replace(
            POLICIES["standard"],
            rotation_degrees=10,
            shift_fraction=0.08,
            zoom_fraction=0.15,
            brightness=0.25,
            contrast=0.5,
            noise_std=0.03,
            blur_pixels=1,
            erase_probability=0,
            surroundings_probability=0.35,
        ),
    ),
    recipe(
        "expressnet_large",
        "ExpressNet, wide and deep",
        "The same kind of network with six times the weights (4.3 million, 0.83 GFLOPs) and more "
        "epochs. Wants a GPU: a processor core takes ten minutes for one epoch. This project has "
        "not run it to its end yet, so no figure is promised. Meant for FER2013: choose it in the "
        "Data tab first.",
        model="expressnet",
        model_options={"widths": [80, 160, 288], "depths": [2, 3, 2], "dropout": 0.3},
        epochs=120,
        batch_size=256,
        optimizer="sgd",
        learning_rate=0.2,
        weight_decay=5e-4,
        schedule="one_cycle",
        label_smoothing=0.1,
        ema_decay=0.999,
        augment=POLICIES["standard"],
    ),
)

RECIPES: dict[str, Recipe] = {item.name: item for item in (*_OWN, *REFERENCE_RECIPES)}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name, or a ConfigError that lists the known ones."""
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}; known: {', '.join(RECIPES)}")
    return RECIPES[name]


def repeat_command(config: RunConfig) -> str:
    """The command line that makes the same run: its recipe and every field that differs from it."""
    known = RECIPES.get(config.recipe)
    base = (known.config if known else RunConfig()).to_dict()
    words = ["python", "-m", "fer_core", "train"]
    if known:
        words += ["--recipe", config.recipe]
    words += ["--data", config.data]
    for name, value in config.to_dict().items():
        if name in ("recipe", "data") or value == base[name]:
            continue
        if isinstance(value, dict) and not set(base[name]) - set(value):
            for part, inner in value.items():
                if inner != base[name].get(part):
                    words += ["--set", f"{name}.{part}={_plain(inner)}"]
        else:
            text = json.dumps(value) if name == "phases" else _plain(value)  # [] of no phases
            words += ["--set", f"{name}={text}"]
    return shlex.join(words)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if all(isinstance(part, str) for part in value):
            return ",".join(value)
        return json.dumps(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
