"""Ablations: a base with chosen methods on, against the same without them, as a sweep of runs.

A method is one setting with a value that turns it off. Any sweep over on/off fields can be read as
an ablation too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.sweep import (
    Cell,
    Sweep,
    SweepError,
    check_size,
    checked_sweep,
    field_title,
    seeds_from,
)


@dataclass(frozen=True)
class Method:
    """title: its column in the table. field: the setting; off: the value that turns it off.

    on: the usual strength, for a base that has it off; None where there is no usual one.
    """

    name: str
    title: str
    field: str
    off: str
    on: str | None = None


_ALL = (
    Method("augment", "augmentation", "augment", "none", "standard"),
    Method("flip", "mirror images", "augment.flip_probability", "0", "0.5"),
    Method("rotation", "rotation", "augment.rotation_degrees", "0", "10"),
    Method("shift", "shift", "augment.shift_fraction", "0", "0.08"),
    Method("zoom", "zoom", "augment.zoom_fraction", "0", "0.1"),
    Method("crop", "random crop", "augment.crop_fraction", "0", "0.2"),
    Method("surroundings", "other surroundings", "augment.surroundings_probability", "0", "0.3"),
    Method("shear", "shear", "augment.shear_degrees", "0", "8"),
    Method("brightness", "brightness", "augment.brightness", "0", "0.15"),
    Method("contrast", "contrast", "augment.contrast", "0", "0.2"),
    Method("saturation", "saturation", "augment.saturation", "0", "0.15"),
    Method("autocontrast", "autocontrast", "augment.autocontrast_probability", "0", "0.3"),
    Method("equalise", "equalise", "augment.equalise_probability", "0", "0.3"),
    Method("noise", "noise", "augment.noise_std", "0", "0.05"),
    Method("blur", "blur", "augment.blur_pixels", "0", "0.8"),
    Method("erasing", "random erasing", "augment.erase_probability", "0", "0.25"),
    Method("mixup", "mixup", "mixup_alpha", "0", "0.2"),
    Method("cutmix", "cutmix", "cutmix_alpha", "0", "1"),
    Method("label_smoothing", "label smoothing", "label_smoothing", "0", "0.1"),
    Method("class_weights", "class weights", "class_weights", "no", "yes"),
    Method("balanced_sampling", "balanced sampling", "balanced_sampling", "no", "yes"),
    Method("votes", "FER+ votes", "votes_share", "0"),  # few sets have votes: said, not offered
    Method("teachers", "teachers", "teachers", ""),
    Method("ema_decay", "weight averaging", "ema_decay", "0", "0.99"),
    Method("sharpness", "sharpness-aware steps", "sharpness_radius", "0", "0.05"),
    Method("weight_decay", "weight decay", "weight_decay", "0", "0.0005"),
    Method("gradient_clip", "gradient clipping", "gradient_clip", "0", "5"),
    Method("schedule", "learning-rate schedule", "schedule", "constant", "one_cycle"),
    Method("early_stopping", "early stopping", "early_stopping_patience", "0", "6"),
    Method("drop_duplicates", "duplicates dropped", "drop_duplicates", "no", "yes"),
    Method("preparation", "offline preparation", "preparation", ""),
    Method("start_from", "pretrained start", "start_from", ""),
)
METHODS: dict[str, Method] = {method.name: method for method in _ALL}
_BY_FIELD = {method.field: method for method in _ALL}

Flags = tuple[bool, ...]


def _leave_one_out(names: Sequence[str]) -> list[tuple[str, Flags]]:
    cells = [("all", (True,) * len(names))]
    return cells + [
        (f"no-{name}", tuple(other != place for other in range(len(names))))
        for place, name in enumerate(names)
    ]


def _one_at_a_time(names: Sequence[str]) -> list[tuple[str, Flags]]:
    cells = [("none", (False,) * len(names))]
    return cells + [
        (f"only-{name}", tuple(other == place for other in range(len(names))))
        for place, name in enumerate(names)
    ]


def _build_up(names: Sequence[str]) -> list[tuple[str, Flags]]:
    last = len(names)
    return [
        (
            {0: "none", last: "all"}.get(count, f"first-{count}"),
            tuple(place < count for place in range(last)),
        )
        for count in range(last + 1)
    ]


#: Ways to lay out an ablation → (what the page calls it, its cells for the methods' names).
PLANS: dict[str, tuple[str, Callable[[Sequence[str]], list[tuple[str, Flags]]]]] = {
    "leave_one_out": ("all on, then each one left out", _leave_one_out),
    "one_at_a_time": ("all off, then each one alone", _one_at_a_time),
    "build_up": ("all off, then one more each time", _build_up),
}


def plan_ablation(
    name: str,
    base: RunConfig,
    methods: Sequence[str],
    plans: Sequence[str] = ("leave_one_out",),
    seeds: int = 1,
) -> Sweep:
    """A sweep whose cells turn the methods on and off as the plans say.

    methods: names of METHODS or fields, with "=value" for a strength of one's own. What the base
    has on stays as it is there; what it has off is turned on with its usual strength.
    SweepError or ConfigError for an unknown method, two for the same setting, too many runs.
    """
    chosen = [chosen_method(base, text) for text in methods]
    if not chosen:
        raise SweepError("an ablation needs at least one method; try flip,label_smoothing")
    _check_overlap([method for method, _ in chosen])
    unknown = [plan for plan in plans if plan not in PLANS]
    if unknown or not plans:
        raise SweepError(f"the plan must be some of {', '.join(PLANS)}, got {list(plans)}")
    names = [method.name.replace(".", "-") for method, _ in chosen]
    flagged: dict[Flags, str] = {}
    for plan in plans:
        for cell_name, flags in PLANS[plan][1](names):
            flagged.setdefault(flags, cell_name)
    check_size(len(flagged), seeds)
    cells = tuple(
        Cell(
            cell_name,
            tuple(
                strength if on else method.off
                for on, (method, strength) in zip(flags, chosen, strict=True)
            ),
        )
        for flags, cell_name in flagged.items()
    )
    sweep = Sweep(
        name=name,
        base=base,
        fields=tuple(method.field for method, _ in chosen),
        cells=cells,
        seeds=seeds_from(base, seeds),
        methods=tuple(method.title for method, _ in chosen),
    )
    return checked_sweep(sweep)


def chosen_method(base: RunConfig, text: str) -> tuple[Method, str | None]:
    """The method that a text such as "flip" or "label_smoothing=0.05" names, and its strength.

    The strength is None where the base has the method on and nothing else was asked for.
    """
    name, given, value = (part.strip() for part in text.partition("="))
    method = METHODS.get(name) or _BY_FIELD.get(name) or _method_of_field(base, name, value)
    off = _with(base, method.field, method.off)
    if given:
        if _with(base, method.field, value) == off:
            raise SweepError(f"{name}={value} is {method.title} turned off; give its strength")
        return method, value
    if off != base:
        return method, None
    if method.on is None:
        raise SweepError(f"the base has no {method.title}; say what it is: {name}=…")
    return method, method.on


def is_on(base: RunConfig, method: Method) -> bool:
    """Whether the base has the method turned on."""
    return _with(base, method.field, method.off) != base


def _method_of_field(base: RunConfig, field: str, value: str) -> Method:
    """A method for a setting without an entry in METHODS: numbers go to 0, yes to no."""
    values = base.to_dict()
    group, _, inner = field.partition(".")
    current = values.get(group)
    if inner and current is not None:
        if not isinstance(current, dict):
            raise SweepError(f"{group} has no parts, got {field!r}; write {group}=VALUE")
        current = current.get(inner)
    if isinstance(current, bool) or value.lower() in ("yes", "true"):
        off = "no"
    elif (isinstance(current, int | float) and not value) or _is_number(value):
        off = "0"
    else:
        raise SweepError(
            f"{field!r} is no method that can be turned on and off; known: {', '.join(METHODS)}, "
            "and any setting that is a number or yes/no, as in model_options.dropout=0.3"
        )
    return Method(field, field_title(field), field, off)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with(base: RunConfig, field: str, value: str) -> RunConfig:
    return base.with_settings([f"{field}={value}"])


def _check_overlap(methods: Sequence[Method]) -> None:
    fields = [method.field for method in methods]
    twice = [field for field in fields if fields.count(field) > 1]
    if twice:
        raise SweepError(f"{twice[0]} is named twice; leave one out")
    parts = [method.name for method in methods if method.field.startswith("augment.")]
    if "augment" in fields and parts:
        raise SweepError(
            f"augment turns all augmentation on and off, so it cannot stand beside {parts[0]}; "
            "leave one out"
        )


def is_off(sweep: Sweep, field: str, value: str | None) -> bool:
    """Whether a value of a sweep's field turns something off."""
    if value is None:
        return False
    known = _BY_FIELD.get(field)
    if known is None:
        return value.lower() in ("no", "false", "none", "") or (
            _is_number(value) and float(value) == 0
        )
    try:
        return _with(sweep.base, field, value) == _with(sweep.base, field, known.off)
    except ConfigError:
        return False


def switches(sweep: Sweep) -> tuple[bool, ...]:
    """Per field of the sweep: is it a switch, that is one off value beside others?"""
    found = []
    for place, field in enumerate(sweep.fields):
        values = {cell.values[place] for cell in sweep.cells}
        off = [value for value in values if is_off(sweep, field, value)]
        found.append(bool(off) and len(values) > len(off))
    return tuple(found)
