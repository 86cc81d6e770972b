"""The eyes between their lids, and the brows, from action units 1, 2, 4, 5, 6, 7, 9, 43 and 64.

Lengths are in face units (the distance between the pupils); a number before an action unit is how
far its full strength moves the feature.
"""

from __future__ import annotations

import numpy as np

from fer_core.data.drawn.action_units import Units
from fer_core.data.drawn.canvas import Clipped, Layer, Shape
from fer_core.data.drawn.identity import INK, Identity, mix
from fer_core.data.drawn.outlines import between, ellipse, lowered, ribbon, smooth

_T = np.linspace(-1.0, 1.0, 17)  # from the inner corner to the outer one
_DOME = 1.0 - _T**2


def eye(
    identity: Identity, side: int, units: Units, gaze: np.ndarray
) -> tuple[Layer, list[Shape], Shape]:
    """The eyeball between its lids, the lids' folds, the upper lashes."""
    e, size = 0.5 * identity.eye_distance, 1.14 * identity.eye_size
    au = units.get
    x = side * (e + 0.27 * size * _T)  # inner corner first
    slope = -identity.eye_tilt * _T
    closed = au(43, 0)
    upper_height = 0.128 + 0.11 * au(5, 0) - 0.05 * au(7, 0) - 0.03 * au(6, 0) - 0.03 * au(9, 0)
    lower_height = 0.1 - 0.05 * au(7, 0) - 0.055 * au(6, 0) + 0.025 * au(5, 0) - 0.02 * au(9, 0)
    upper_height = (max(0.03, upper_height) * (1 - closed) - 0.05 * closed) * size
    lower_height = max(0.03, lower_height) * size
    worried = au(1, 0) * min(1.0, 1.5 * au(4, 0))
    stern = max(0.0, au(4, 0) - au(1, 0))
    slant = 0.06 * worried * _T + 0.055 * stern * (0.6 - _T)
    upper = slope - upper_height * _DOME**0.75 + (1 - closed) * _DOME * slant
    lower = slope + lower_height * _DOME
    upper = np.minimum(upper, lower)  # lids meet, they do not cross
    top, bottom = np.stack([x, upper], 1), np.stack([x, lower], 1)

    iris = (side * e + 0.07 * gaze[0], 0.05 * gaze[1] + 0.06 * au(64, 0) - 0.012)
    radius = 0.13 * size
    shadow = between(top, lowered(top, 0.04))
    ball = [
        Shape(between(lowered(top, -0.02), lowered(bottom, 0.02)), (234, 230, 226)),
        Shape(ellipse(*iris, radius, radius), mix(identity.iris, (0, 0, 0), 0.5)),
        Shape(ellipse(*iris, 0.82 * radius, 0.82 * radius), identity.iris),
        Shape(ellipse(*iris, 0.45 * radius, 0.45 * radius), (14, 12, 12)),
        Shape(shadow, mix(identity.iris, (70, 60, 60), 0.7)),
        Shape(ellipse(iris[0] - 0.045, iris[1] - 0.045, 0.03, 0.03), (250, 250, 250)),
    ]
    crease = 0.06 + 0.02 * (1 - au(5, 0)) + 0.04 * closed
    folds = [
        Shape(ribbon(top - (0, crease) * (_DOME[:, None] ** 0.4), 0.025), opacity=0.65),
        Shape(ribbon(lowered(bottom, 0.01), 0.022), opacity=0.7),
    ]
    lash = ribbon(lowered(top, -0.008), 0.055 - 0.015 * closed, taper=0.6)
    return Clipped(Shape(between(top, bottom)), ball), folds, Shape(lash, INK)


def brow(identity: Identity, side: int, units: Units) -> Shape:
    """One brow; the inner raiser and the lowerer together draw it up and in."""
    au = units.get
    e = 0.5 * identity.eye_distance
    raise_inner, raise_outer, lower = au(1, 0), au(2, 0), au(4, 0)
    pull = lower * (1 - 0.85 * raise_inner)
    y = -0.38 * identity.brow_height - 0.02 * au(5, 0) + 0.03 * au(43, 0) * lower
    arch = 0.045 * identity.brow_arch
    nose = 0.05 * au(9, 0)
    line = smooth(
        (side * (e - 0.31 - 0.08 * lower), y - 0.24 * raise_inner + 0.19 * pull + 1.4 * nose),
        (
            side * (e - 0.1 - 0.05 * lower),
            y - arch - 0.18 * raise_inner - 0.08 * raise_outer + 0.13 * pull + 1.2 * nose,
        ),
        (
            side * (e + 0.15),
            y - 1.3 * arch - 0.03 * raise_inner - 0.18 * raise_outer + 0.05 * pull + 0.5 * nose,
        ),
        (
            side * (e + 0.38),
            y + 0.03 - 0.15 * raise_outer + 0.02 * pull + 0.06 * lower * raise_inner
            + 0.03 * au(6, 0),
        ),
    )  # fmt: skip
    places = np.linspace(0, 1, len(line))
    half = 0.052 * identity.brow_thickness * (0.75 + 0.9 * places - 1.55 * places**2)
    offset = np.stack([np.zeros_like(half), half], axis=1)
    return Shape(between(line - offset, line + offset), identity.brow, lift=0.03)
