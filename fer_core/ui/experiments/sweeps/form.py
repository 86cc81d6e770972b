"""The form that plans a sweep, without its widgets: what can be varied, and values → `Sweep`."""

from __future__ import annotations

import dataclasses
import html
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fer_core.comparison.sweeps.ablation import METHODS, is_off, is_on, plan_ablation
from fer_core.data.policies import LIMITS, POLICIES
from fer_core.models import MODELS
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.limits import CHOICES
from fer_core.runs.recipes import find_recipe
from fer_core.training.sweep import (
    MAX_RUNS,
    Cell,
    Sweep,
    SweepError,
    field_title,
    plan_sweep,
    split_values,
)
from fer_core.ui.shared.form_words import LABELS
from fer_core.ui.train.run_form import DATA_FIELDS, LONGEST_TEXT, config_from_form

GRID, ABLATION = "grid", "ablation"
KINDS = (
    ("every combination of chosen values", GRID),
    ("an ablation: methods on and off", ABLATION),
)
#: Rows of "setting: values" in the form.
MOST_FIELDS = 5
#: Fields that the list does not offer first; they can still be typed.
_LEFT_OUT = ("recipe", "seed", "model_options", "class_map", "phases", *DATA_FIELDS.values())
_FIRST = ("learning_rate", "optimizer", "batch_size", "augment", "model", "epochs")
#: Values that a chosen setting starts with; others come from what the setting may be.
_USUAL = {
    "learning_rate": "1e-4, 3e-4, 1e-3",
    "optimizer": "sgd, adam, adamw",
    "batch_size": "32, 128",
    "augment": "none, light, standard",
    "epochs": "5, 10",
    "weight_decay": "0, 0.0005",
    "label_smoothing": "0, 0.1",
    "ema_decay": "0, 0.99",
    "gradient_clip": "0, 5",
    "momentum": "0, 0.9",
    "image_size": "48, 64",
    "channels": "1, 3",
    "train_share": "0.25, 0.5, 1",
    "classes_left_out": "| disgust",
    "model": "expressnet_demo, competition_baseline",
}
_SHOWN_CELLS = 12


@dataclass(frozen=True)
class SweepForm:
    """What the widgets hold. rows: (setting, values as typed); methods and plans for an ablation.

    common: one field=value per line; epochs None keeps the recipe's.
    """

    kind: str
    recipe: str
    rows: tuple[tuple[str | None, str | None], ...]
    methods: tuple[str, ...]
    plans: tuple[str, ...]
    epochs: float | None
    common: str
    seeds: float | None
    name: str


def field_choices() -> list[tuple[str, str]]:
    """(words, field) of everything that a row can vary: settings, strengths, network options."""
    names = [item.name for item in dataclasses.fields(RunConfig) if item.name not in _LEFT_OUT]
    names.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    found = [(LABELS[name][0] if name in LABELS else field_title(name), name) for name in names]
    found += [(f"Augmentation: {field_title(part)}", f"augment.{part}") for part in LIMITS]
    options = dict.fromkeys(
        option
        for network in MODELS.values()
        for option, about in network.options.items()
        if not about.told
    )
    found += [(f"Network: {field_title(option)}", f"model_options.{option}") for option in options]
    return found


def suggested_values(field: str | None) -> str:
    """Values to begin with for a setting that was just chosen, "" for an unknown one."""
    field = field or ""
    group, _, part = field.partition(".")
    if field in _USUAL:
        return _USUAL[field]
    if field in CHOICES:
        return ", ".join(CHOICES[field])
    if group == "augment" and part in LIMITS:
        return f"0, {getattr(POLICIES['strong'], part) or LIMITS[part] / 4:g}"
    if group == "model_options":
        options = [network.options[part] for network in MODELS.values() if part in network.options]
        if not options:
            return ""
        if options[0].choices:
            return ", ".join(map(str, options[0].choices))
        default = options[0].default
        return "no, yes" if isinstance(default, bool) else str(default)
    default = RunConfig().to_dict().get(field)
    if isinstance(default, bool):
        return "no, yes"
    return f"{default:g}" if isinstance(default, int | float) else ""


def method_choices(base: RunConfig) -> list[tuple[str, str]]:
    """(words, method) of the ablation's list, what the base has on first."""
    offered = [method for method in METHODS.values() if method.on or is_on(base, method)]
    offered.sort(key=lambda method: not is_on(base, method))
    return [
        (method.title if is_on(base, method) else f"{method.title} (as {method.on})", method.name)
        for method in offered
    ]


def methods_on(base: RunConfig) -> list[str]:
    """The methods that the base has on, single augmentations in place of all together."""
    return [
        method.name
        for method in METHODS.values()
        if method.name != "augment" and is_on(base, method)
    ]


def base_config(form: SweepForm, data: Mapping[str, Any]) -> RunConfig:
    """The settings that all runs share: recipe, data choice, epochs and the common lines."""
    for text in (form.common, form.name, *(values or "" for _, values in form.rows)):
        if len(text) > LONGEST_TEXT:
            raise ConfigError(f"a text takes at most {LONGEST_TEXT:,} characters; shorten it")
    recipe = find_recipe(form.recipe).config
    base = config_from_form({}, recipe, data, recipe.augment)
    lines = [line for line in form.common.splitlines() if line.strip()]
    if form.epochs is not None:
        lines.insert(0, f"epochs={form.epochs}")
    return base.with_settings(lines)


def plan_from_form(form: SweepForm, data: Mapping[str, Any]) -> Sweep:
    """The sweep that the form describes; SweepError or ConfigError says what is wrong with it."""
    base = base_config(form, data)
    if form.seeds is None or not float(form.seeds).is_integer():
        raise SweepError(f"the number of seeds must be a whole number, got {form.seeds}")
    seeds = int(form.seeds)
    name = "-".join(form.name.split()) or time.strftime(f"{form.kind}-%m%d-%H%M%S")
    if form.kind == ABLATION:
        return plan_ablation(name, base, form.methods, form.plans, seeds)
    rows = [(field.strip(), values or "") for field, values in form.rows if field]
    if not rows:
        raise SweepError("choose a setting to vary and give it values")
    fields = [field for field, _ in rows]
    twice = [field for field in fields if fields.count(field) > 1]
    if twice:
        raise SweepError(f"{twice[0]} is given twice; put all of its values into one")
    vary = {field: split_values(values) for field, values in rows}
    return plan_sweep(name, base, vary, seeds)


def plan_html(sweep: Sweep) -> str:
    """How many runs it would be, and the first cells one by one."""
    runs = sweep.runs()
    seed = sweep.seeds[0]
    epochs = sum(sweep.config(cell, seed).epochs for cell in sweep.cells) * len(sweep.seeds)
    parts = [
        f"{len(sweep.cells)} cell{_s(sweep.cells)}",
        f"{len(sweep.seeds)} seed{_s(sweep.seeds)}",
    ]
    text = (
        f"<p><b>{len(runs)} run{_s(runs)}</b> = {' × '.join(parts)}, {epochs:,} epochs in all "
        f"(at most {MAX_RUNS} runs). Everything is checked; nothing is made yet.</p>"
    )
    titles = sweep.methods or tuple(field_title(field) for field in sweep.fields)
    head = "".join(f"<th>{html.escape(title)}</th>" for title in ("cell", *titles))
    body = "".join(
        f"<tr><td>{html.escape(cell.name)}</td>"
        + "".join(f"<td>{html.escape(text)}</td>" for text in _cell_texts(sweep, cell))
        + "</tr>"
        for cell in sweep.cells[:_SHOWN_CELLS]
    )
    more = len(sweep.cells) - _SHOWN_CELLS
    rest = f"<p class='note'>… and {more} more.</p>" if more > 0 else ""
    return (
        f"{text}<div class='plain-table texts'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{rest}"
    )


def _cell_texts(sweep: Sweep, cell: Cell) -> list[str]:
    pairs = list(zip(sweep.fields, cell.values, strict=True))
    if sweep.methods:
        return ["no" if is_off(sweep, field, value) else "yes" for field, value in pairs]
    return [value or "none" for _, value in pairs]


def _s(items: Any) -> str:
    return "" if len(items) == 1 else "s"
