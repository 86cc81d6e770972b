"""Recipes: named, ready settings of a run, each with a title and a sentence for the page."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipe import Recipe, recipe
from fer_core.runs.reference_recipes import REFERENCE_RECIPES

#: What the recipes have in common that made, or could have made, shipped checkpoints on a GPU.
_TAUGHT: dict[str, Any] = {
    "batch_size": 256,
    "optimizer": "sgd",
    "learning_rate": 0.2,
    "weight_decay": 5e-4,
    "schedule": "one_cycle",
    "ema_decay": 0.999,
    "votes_share": 0.4,
    "votes_read": "labels",
    "augment": replace(
        POLICIES["standard"],
        rotation_degrees=12,
        shift_fraction=0.1,
        zoom_fraction=0.2,
        surroundings_probability=0.4,
        brightness=0.25,
        contrast=0.5,
        noise_std=0.03,
        blur_pixels=1,
        erase_probability=0,
    ),
}
_AS_SHIPPED = (
    "The shipped {} has these settings and two larger teachers, see its card. Meant for FER2013 "
    "with its votes (fer2013new.csv beside the csv; without them set votes_share=0)."
)

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
        "expressnet_short",
        "ExpressNet, short",
        "The network of the recipe expressnet at one sitting: 20 epochs with AdamW, large batches "
        "and little augmentation. Meant for FER2013: choose it in the Data tab first. A quarter of "
        "an hour on two processor cores with precision=bfloat16, where they have instructions for "
        "it.",
        model="expressnet",
        model_options={"dropout": 0},
        epochs=20,
        batch_size=512,
        optimizer="adamw",
        learning_rate=8e-3,
        weight_decay=0.05,
        schedule="one_cycle",
        ema_decay=0.98,
        augment=AugmentPolicy(flip_probability=0.5, shift_fraction=0.06, zoom_fraction=0.1),
    ),
    recipe(
        "expressnet_nano",
        "ExpressNet, very small",
        "Separable convolutions, 57,071 weights and 0.016 GFLOPs: it learns from the labels, from "
        "FER+ votes and, for most of its loss, from the answers of the shipped expressnet-base. "
        f"{_AS_SHIPPED.format('expressnet-nano')}",
        model="expressnet_nano",
        model_options={"widths": [40, 72, 96], "depths": [3, 4, 2], "head": 96},
        epochs=100,
        teachers=("checkpoints/expressnet-base",),
        teacher_share=0.8,
        **{
            **_TAUGHT,
            "optimizer": "adamw",
            "learning_rate": 8e-3,
            "weight_decay": 0.02,
            "ema_decay": 0.998,
            "augment": replace(
                POLICIES["standard"],
                rotation_degrees=8,
                shift_fraction=0.06,
                zoom_fraction=0.08,
                brightness=0,
                contrast=0,
                erase_probability=0,
            ),
        },
    ),
    recipe(
        "expressnet_small",
        "ExpressNet, taught",
        "The network of the recipe expressnet (0.69 million weights, 0.1 GFLOPs) on blurred, "
        "grainy, darker faces in other surroundings, with FER+ votes and the answers of the "
        f"shipped expressnet-base in its target. {_AS_SHIPPED.format('expressnet-small')}",
        model="expressnet",
        epochs=100,
        teachers=("checkpoints/expressnet-base",),
        teacher_share=0.7,
        **_TAUGHT,
    ),
    recipe(
        "expressnet_photo",
        "ExpressNet, for photographs",
        "Goes on from the shipped expressnet-small: in half of the cases a face is shown as the "
        "detector finds it in a made-up photograph, turned, dimmed, blurred or compressed. These "
        "settings and a memory made the shipped expressnet-photo. Meant for FER2013 with its votes "
        "(fer2013new.csv beside the csv; without them set votes_share=0); first make the file of "
        "views: python -m fer_core views --data … --seed 11 --out data/views.npz. About 40 minutes "
        "on two processor cores with instructions for bfloat16; set precision=auto without them.",
        start_from="checkpoints/expressnet-small",
        model="expressnet",
        epochs=44,
        views="data/views.npz",
        teachers=("checkpoints/expressnet-base", "checkpoints/expressnet-small"),
        teacher_share=0.65,
        teacher_temperature=1.0,
        teacher_sees="original",
        precision="bfloat16",
        **{
            **_TAUGHT,
            "batch_size": 128,
            "learning_rate": 0.04,
            "schedule": "cosine",
            "augment": replace(
                _TAUGHT["augment"],
                rotation_degrees=10,
                shift_fraction=0.06,
                zoom_fraction=0.12,
                surroundings_probability=0.2,
                contrast=0.4,
                noise_std=0.02,
                blur_pixels=0.7,
            ),
        },
    ),
    recipe(
        "expressnet_base",
        "ExpressNet, wider and deeper",
        "The same kind of network with five times the weights (3.75 million, 0.8 GFLOPs), taught "
        "in the same way. Wants a GPU. "
        f"{_AS_SHIPPED.format('expressnet-base')}",
        model="expressnet",
        model_options={"widths": [80, 160, 256], "depths": [2, 3, 2], "dropout": 0.3},
        epochs=88,
        teachers=("checkpoints/expressnet-base",),
        teacher_share=0.6,
        **_TAUGHT,
    ),
    recipe(
        "expressnet_large",
        "ExpressNet, widest",
        "The same kind of network with nine times the weights (6.3 million, 1.1 GFLOPs), without "
        "a teacher: one of the two that taught the shipped nano, small and base. Wants a GPU. "
        "Meant for FER2013 with its votes (fer2013new.csv beside the csv; without them set "
        "votes_share=0).",
        model="expressnet",
        model_options={"widths": [96, 192, 384], "depths": [2, 2, 2], "dropout": 0.3},
        epochs=50,
        **{
            **_TAUGHT,
            "augment": replace(
                POLICIES["standard"],
                rotation_degrees=10,
                contrast=0.3,
                noise_std=0.02,
                blur_pixels=0.7,
                surroundings_probability=0.2,
            ),
        },
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
