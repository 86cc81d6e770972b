"""Expressions as action units: which movements of the face make which expression, and how strongly.

Numbers and names follow the Facial Action Coding System (Ekman, Friesen & Hager, 2002); the
prototypes follow the EMFACS tables, pain follows Prkachin & Solomon (Pain 139, 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.data.faces import DataError
from fer_core.labels import canonical_name

Units = Mapping[int, float]

#: Every action unit that the drawing knows, with its FACS name.
ACTION_UNITS: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    11: "nasolabial deepener",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    18: "lip pucker",
    20: "lip stretcher",
    22: "lip funneler",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    43: "eyes closed",
    64: "eyes down",
}


@dataclass(frozen=True)
class Prototype:
    """One way to show an expression: each unit at full strength (0-1), and how common this is."""

    units: Units
    weight: float = 1.0


#: The prototypes of each expression that can be drawn.
PROTOTYPES: dict[str, tuple[Prototype, ...]] = {
    "angry": (
        Prototype({4: 1.0, 5: 0.6, 7: 0.7, 23: 0.9, 17: 0.4}, 1.2),
        Prototype({4: 1.0, 5: 0.4, 7: 0.8, 24: 0.9, 17: 0.6}, 1.0),
        Prototype(
            {4: 1.0, 5: 0.8, 7: 0.6, 10: 0.5, 16: 0.5, 22: 0.5, 23: 0.4, 25: 1.0, 26: 0.4}, 1.0
        ),
    ),
    "disgust": (
        Prototype({9: 1.0, 10: 0.5, 4: 0.3, 7: 0.5, 6: 0.3, 17: 0.6, 15: 0.2}, 1.2),
        Prototype({9: 0.9, 10: 0.9, 16: 0.4, 25: 0.8, 7: 0.6, 4: 0.3, 6: 0.3}, 1.2),
        Prototype({10: 1.0, 9: 0.5, 17: 0.8, 7: 0.6, 11: 0.5}, 0.8),
    ),
    "fear": (
        Prototype({1: 1.0, 2: 0.5, 4: 0.7, 5: 0.9, 20: 0.9, 25: 1.0, 7: 0.2}, 1.2),
        Prototype({1: 1.0, 2: 0.6, 4: 0.7, 5: 1.0, 20: 1.0, 25: 0.8, 26: 0.5, 16: 0.4}, 1.2),
        Prototype({1: 0.9, 2: 0.4, 4: 0.8, 5: 0.8, 7: 0.4, 20: 0.9, 16: 0.3, 25: 0.6}, 0.8),
    ),
    "happy": (
        Prototype({6: 0.7, 12: 1.0, 25: 0.9}, 1.4),
        Prototype({6: 0.6, 12: 0.9}, 1.0),
        Prototype({6: 1.0, 12: 1.0, 25: 1.0, 26: 0.8, 7: 0.2}, 0.8),
        Prototype({12: 1.0, 25: 0.4, 1: 0.2, 2: 0.2}, 0.4),
    ),
    "sad": (
        Prototype({1: 1.0, 4: 0.6, 15: 0.9, 17: 0.4, 43: 0.15}, 1.2),
        Prototype({1: 0.9, 4: 0.5, 15: 0.8, 43: 0.3, 64: 0.7}, 1.0),
        Prototype({1: 0.9, 4: 0.5, 11: 0.5, 15: 1.0, 17: 0.8, 6: 0.3}, 0.8),
        Prototype({1: 0.7, 4: 0.5, 15: 1.0, 20: 0.3, 25: 0.4, 6: 0.4, 7: 0.4}, 0.4),
    ),
    "surprise": (
        Prototype({1: 1.0, 2: 1.0, 5: 0.7, 25: 1.0, 26: 1.0}, 1.4),
        Prototype({1: 1.0, 2: 1.0, 5: 0.9, 25: 1.0, 27: 0.9}, 1.2),
        Prototype({1: 0.9, 2: 1.0, 5: 0.8, 25: 0.8, 26: 0.4, 18: 0.4}, 0.7),
    ),
    "neutral": (Prototype({}, 1.0), Prototype({25: 0.25}, 0.15), Prototype({24: 0.15}, 0.15)),
    "contempt": (Prototype({14: 1.0, 12: 0.3, 7: 0.3}), Prototype({12: 0.5, 14: 0.7, 10: 0.2})),
    "pain": (
        Prototype({4: 1.0, 6: 0.8, 7: 0.7, 9: 0.7, 10: 0.4, 43: 1.0, 20: 0.5, 25: 0.6}, 1.2),
        Prototype({4: 0.9, 6: 0.6, 7: 0.8, 10: 0.8, 43: 0.8, 25: 1.0, 26: 0.6}, 1.0),
        Prototype({4: 1.0, 7: 1.0, 9: 0.8, 43: 1.0, 17: 0.4, 24: 0.4}, 0.8),
    ),
}

#: Expressions that a face may carry a trace of besides its own; the label stays the stronger one.
_NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "angry": ("disgust", "sad", "neutral"),
    "disgust": ("angry", "sad", "neutral"),
    "fear": ("surprise", "sad", "neutral"),
    "happy": ("surprise", "neutral"),
    "sad": ("fear", "angry", "neutral"),
    "surprise": ("fear", "happy", "neutral"),
    "neutral": ("sad", "angry", "happy"),
    "contempt": ("neutral", "angry"),
    "pain": ("sad", "disgust"),
}

#: Expressions that are seen on one half of the face more than on the other.
_ONE_SIDED = ("contempt",)


@dataclass(frozen=True)
class Movement:
    """Action units of one face: strength 0-1 of each on the left and the right of the picture."""

    left: Units
    right: Units

    def mean(self, unit: int) -> float:
        return 0.5 * (self.left.get(unit, 0.0) + self.right.get(unit, 0.0))


def checked_expression(name: str) -> str:
    """The canonical name of an expression that can be drawn; DataError for any other."""
    plain = canonical_name(name)
    if plain not in PROTOTYPES:
        raise DataError(f"no drawing for {name!r}; choose from {', '.join(PROTOTYPES)}")
    return plain


def checked_units(units: Units) -> dict[int, float]:
    """Action units with known numbers and strengths 0-1; DataError for any other."""
    for unit, strength in units.items():
        if unit not in ACTION_UNITS:
            known = ", ".join(map(str, ACTION_UNITS))
            raise DataError(f"action unit must be one of {known}, got {unit!r}")
        if not 0 <= strength <= 1:
            raise DataError(f"strength of action unit {unit} must be 0 to 1, got {strength}")
    return {int(unit): float(strength) for unit, strength in units.items()}


def sample_movement(expression: str, random: np.random.Generator) -> Movement:
    """One way of showing `expression`: a prototype with its own strength, play and asymmetry.

    Two in ten faces are weak, one in four carries a trace of a neighbouring expression, and every
    unit varies by itself, as do the two halves of the face.
    """
    strength = random.triangular(0.35, 0.85, 1.1)
    units = {unit: full * strength for unit, full in _choose(expression, random).units.items()}
    if random.random() < 0.35:
        names = _NEIGHBOURS[expression]
        trace = random.uniform(0.1, 0.4)
        for unit, full in _choose(names[random.integers(len(names))], random).units.items():
            units[unit] = max(units.get(unit, 0.0), trace * full)
    for unit in tuple(units):
        units[unit] *= random.uniform(0.65, 1.2)
    for unit in random.choice((1, 2, 4, 6, 7, 14, 17, 23), size=2, replace=False):
        units[int(unit)] = units.get(int(unit), 0.0) + random.uniform(0, 0.14)
    tilt = random.normal(0, 0.07) + (random.choice((-0.8, 0.8)) if expression in _ONE_SIDED else 0)
    return Movement(
        {unit: min(1.0, max(0.0, value * (1 - tilt))) for unit, value in units.items()},
        {unit: min(1.0, max(0.0, value * (1 + tilt))) for unit, value in units.items()},
    )


def _choose(expression: str, random: np.random.Generator) -> Prototype:
    prototypes = PROTOTYPES[expression]
    weights = np.cumsum([prototype.weight for prototype in prototypes])
    return prototypes[int(np.searchsorted(weights, random.random() * weights[-1]))]
