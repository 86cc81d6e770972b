"""How often a model changes its label when one augmentation is applied: measured, not supposed.

Faces are changed at the model's own input size, as in training, each with its own random draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from fer_core.data.augment import augment
from fer_core.data.faces import DataError, Faces
from fer_core.data.policies import POLICIES, AugmentPolicy
from fer_core.data.split import SplitPlan, split_faces
from fer_core.labels import canonical_name
from fer_core.runs.checkpoint import Checkpoint
from fer_core.training.metrics import wilson_interval

#: The row in which all strengths act together, with their own chances.
TOGETHER = "All of them, as in training"

#: Each operation's row: its words, with the strength in them, and the fields that it needs.
#: A chance becomes certainty here, since the question is what happens to a face that is changed.
_OPERATIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Mirror image", "flip_probability", ()),
    ("Rotation ±{value:g}°", "rotation_degrees", ()),
    ("Shift ±{percent:g} %", "shift_fraction", ()),
    ("Zoom ±{percent:g} %", "zoom_fraction", ()),
    ("Shear ±{value:g}°", "shear_degrees", ()),
    ("Crop up to {percent:g} %", "crop_fraction", ()),
    ("Other surroundings", "surroundings_probability", ()),
    ("Brightness ±{percent:g} %", "brightness", ()),
    ("Contrast ±{percent:g} %", "contrast", ()),
    ("Saturation ±{percent:g} %", "saturation", ()),
    ("Autocontrast", "autocontrast_probability", ()),
    ("Equalise", "equalise_probability", ()),
    ("Noise up to {percent:g} %", "noise_std", ()),
    ("Blur up to {value:g} px", "blur_pixels", ()),
    ("Erasing up to {area:g} %", "erase_probability", ("erase_fraction",)),
)


@dataclass(frozen=True)
class LabelChange:
    """What one operation did to the labels of a model.

    faces: how many were tried; changed: how many got another label than without the operation.
    known: faces whose own label the model knows; right: of these, named rightly when changed.
    commonest: the most frequent change as (from, to, faces), None when there was none.
    """

    operation: str
    faces: int
    changed: int
    known: int
    right: int
    commonest: tuple[str, str, int] | None

    @property
    def share(self) -> float:
        return self.changed / self.faces

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `share` (Wilson)."""
        return wilson_interval(self.changed, self.faces)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: operation, faces, changed, share, interval, known, right,
        commonest [from, to, faces] or None."""
        return {
            "operation": self.operation,
            "faces": self.faces,
            "changed": self.changed,
            "share": self.share,
            "interval": list(self.interval),
            "known": self.known,
            "right": self.right,
            "commonest": list(self.commonest) if self.commonest else None,
        }


def single_operations(policy: AugmentPolicy, colour: bool = True) -> dict[str, AugmentPolicy]:
    """A policy for each operation that is on, by what to call it; last, all of them together.

    colour: whether the model sees colour; saturation does nothing otherwise and is left out.
    """
    found = {}
    for words, field, others in _OPERATIONS:
        value = getattr(policy, field)
        erases_nothing = field == "erase_probability" and not policy.erase_fraction
        if not value or erases_nothing or (field == "saturation" and not colour):
            continue
        title = words.format(value=value, percent=100 * value, area=100 * policy.erase_fraction)
        alone = {name: getattr(policy, name) for name in others}
        alone[field] = 1.0 if field.endswith("_probability") else value
        found[title] = replace(AugmentPolicy(), **alone)
    if len(found) > 1:
        found[TOGETHER] = policy
    return found


def policy_from_words(name: str, strengths: Sequence[str] = ()) -> AugmentPolicy:
    """A ready policy by its name, with other strengths given as "name=value".

    Raises DataError for a name, strength or value that cannot be.
    """
    if name not in POLICIES:
        raise DataError(f"the policy must be one of {', '.join(POLICIES)}, got {name!r}")
    values = POLICIES[name].to_dict()
    for text in strengths:
        field, _, value = text.partition("=")
        try:
            values[field.strip()] = float(value)
        except ValueError as error:
            raise DataError(
                f"a strength is NAME=NUMBER, got {text!r}; try rotation_degrees=15"
            ) from error
    try:
        return AugmentPolicy.from_dict(values)
    except ValueError as error:
        raise DataError(str(error)) from error


def held_out_faces(faces: Faces, plan: SplitPlan, count: int, seed: int) -> np.ndarray:
    """int64 (≤ count,): random labelled faces of the validation and test parts, ascending.

    Of all labelled faces where the set cannot be split or those parts have fewer than `count`.
    Raises DataError when no face has a label.
    """
    pool = np.flatnonzero(faces.labels >= 0)
    if not len(pool):
        raise DataError("This set has no labelled face. Choose another in the Data tab.")
    try:
        split = split_faces(faces, plan)
        apart = np.concatenate([split.validation, split.test])
    except DataError:
        apart = pool[:0]
    if len(apart) >= count:
        pool = apart
    random = np.random.default_rng(seed)
    return np.sort(random.choice(pool, min(count, len(pool)), replace=False))


def label_changes(
    judge: Checkpoint,
    images: np.ndarray,
    labels: Sequence[str],
    operations: dict[str, AugmentPolicy],
    seed: int,
) -> Iterator[LabelChange]:
    """First the faces as they are (nothing changed), then one result after each operation.

    images: uint8 (N, H, W, C); labels: their class names (N,). seed: of the draws of every
    operation. Nothing is computed before the first result is asked for.
    """
    unit = judge.preprocessing.to_unit(torch.from_numpy(np.array(images)))  # (N, C, S, S)
    names = [canonical_name(name) for name in judge.class_names]
    own = np.array([names.index(n) if (n := canonical_name(x)) in names else -1 for x in labels])
    before = _named(judge, unit)  # (N,)
    yield _compared("As they are", judge, before, before, own)
    for title, policy in operations.items():
        generator = torch.Generator().manual_seed(seed)
        after = _named(judge, augment(unit, policy, generator))
        yield _compared(title, judge, before, after, own)


def _named(judge: Checkpoint, unit: torch.Tensor) -> np.ndarray:
    """int64 (N,), the most probable class of float images (N, C, S, S) in 0..1."""
    pixels = unit.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return judge.probabilities(pixels.contiguous().numpy()).argmax(axis=1)


def _compared(
    title: str, judge: Checkpoint, before: np.ndarray, after: np.ndarray, own: np.ndarray
) -> LabelChange:
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    moved = Counter(pair for pair in pairs if pair[0] != pair[1])
    commonest = None
    if moved:
        (first, second), faces = moved.most_common(1)[0]
        commonest = (judge.class_names[first], judge.class_names[second], faces)
    known = own >= 0
    return LabelChange(
        operation=title,
        faces=len(before),
        changed=int((before != after).sum()),
        known=int(known.sum()),
        right=int((after == own)[known].sum()),
        commonest=commonest,
    )
