"""The face itself: action units and identity become the outlines of skin, folds, nose and features.

Lengths are in face units (the distance between the pupils).
"""

from __future__ import annotations

import numpy as np

from fer_core.data.drawn.action_units import Movement, Units
from fer_core.data.drawn.canvas import Layer, Shape, Soft, Solid
from fer_core.data.drawn.eyes import brow, eye
from fer_core.data.drawn.identity import INK, RGB, Identity, View, mix
from fer_core.data.drawn.mouth import Mouth
from fer_core.data.drawn.outlines import between, ellipse, ribbon, smooth


def face_layers(
    identity: Identity, movement: Movement, view: View, gaze: np.ndarray
) -> tuple[list[Layer], list[Layer]]:
    """Everything between the hair in painting order: the skin with its folds, then the features."""
    skin = identity.skin
    shade = mix(skin, (58, 22, 14), 0.5)
    dark = mix(skin, (40, 16, 10), 0.72)
    glow = mix(skin, (255, 250, 240), 0.2 + 0.2 * sum(skin) / 765)
    sides = ((-1, movement.left), (1, movement.right))
    mouth = Mouth(identity, movement)
    nose_y = 0.64 * identity.nose_length - 0.07 * movement.mean(9) - 0.03 * movement.mean(10)

    wide, narrow, lights, lids = [], [], [], []  # shading by softness
    balls: list[Layer] = []
    lines: list[Shape] = []
    for side, units in sides:
        wide += _socket(identity, side, units)
        narrow += _folds(identity, side, units, mouth, nose_y)
        lights += _cheek(identity, side, units)
        ball, crease, lash = eye(identity, side, units, gaze)
        balls.append(ball)
        lids += crease
        lines += [lash, brow(identity, side, units)]
    narrow += _forehead(identity, movement)
    wide += _nose_shade(identity, nose_y, view)
    wide.append(Shape(between(*mouth.below()), opacity=0.4))
    narrow += _chin(movement, mouth)
    nose_light = [
        Shape(ellipse(0, nose_y - 0.06, 0.085, 0.06), opacity=0.8, lift=0.3),
        Shape(_bridge(nose_y), opacity=0.45, lift=0.2),
    ]
    outline = Shape(face_outline(identity, movement), skin, depth=0.3, lit=True)
    return [
        Solid([outline]),
        Soft(shade, 0.09, wide, on_head=True),
        Soft(glow, 0.13, lights),
        Soft(glow, 0.05, nose_light),
        Soft(dark, 0.022, narrow),
    ], [
        *mouth.layers(skin, dark),
        Solid(_nostrils(identity, nose_y, dark)),
        *balls,
        Soft(mix(shade, INK, 0.4), 0.01, lids),
        Solid(lines),
    ]


def face_outline(identity: Identity, movement: Movement) -> np.ndarray:
    """float (m, 2): the skin's outline from the crown around the chin."""
    drop = jaw_drop(movement)
    width, jaw = identity.face_width, identity.face_width * identity.jaw_width
    chin = 1.62 * identity.chin
    half = (
        (0.6 * width, -1.54),
        (0.97 * width, -1.0),
        (1.07 * width, -0.3),
        (1.05 * width, 0.25),
        (0.5 * (width + jaw) * 0.98, 0.72 + 0.1 * drop),
        (0.8 * jaw, 0.72 * chin + 0.5 * drop),
        (0.46 * jaw, 0.935 * chin + 0.92 * drop),
    )
    mirrored = [(-x, y) for x, y in reversed(half)]
    return smooth((0, -1.7), *half, (0, chin + drop), *mirrored, closed=True)


def jaw_drop(movement: Movement) -> float:
    return 0.13 * movement.mean(26) + 0.3 * movement.mean(27) - 0.02 * movement.mean(17)


def _socket(identity: Identity, side: int, units: Units) -> list[Shape]:
    e = 0.5 * identity.eye_distance
    deep = 0.34 + 0.16 * units.get(4, 0)
    return [
        Shape(ellipse(side * (e - 0.02), -0.14, 0.3, 0.13), opacity=deep),
        Shape(ellipse(side * (e - 0.06), 0.15, 0.22, 0.06), opacity=0.2 + 0.2 * identity.age),
        Shape(ellipse(side * 0.2, -0.08, 0.07, 0.16), opacity=deep),
        # the cheek's lower edge and the side of the face
        Shape(
            smooth((side * 1.0, 0.1), (side * 0.74, 0.75), (side * 0.62, 1.3), (side * 0.9, 1.1),
                   (side * 1.15, 0.5), closed=True),
            opacity=0.32,
        ),
    ]  # fmt: skip


def _cheek(identity: Identity, side: int, units: Units) -> list[Shape]:
    lift = max(units.get(6, 0), 0.7 * units.get(12, 0))
    x, y = side * 0.6, 0.5 - 0.1 * lift
    return [
        Shape(ellipse(x, y, 0.26 + 0.04 * lift, 0.17), opacity=0.5 + 0.5 * lift),
        Shape(ellipse(side * 0.3, -0.85, 0.42, 0.26), opacity=0.45),
    ]


def _forehead(identity: Identity, movement: Movement) -> list[Shape]:
    inner, outer, lower = movement.mean(1), movement.mean(2), movement.mean(4)
    shapes = []
    strength = max(inner, outer) * 0.75 + 0.2 * identity.age - 0.15
    reach = 0.32 + 0.35 * outer
    if strength > 0.05:
        for y in (-0.72, -0.88, -1.04):
            bow = 0.05 * inner * lower
            line = smooth((-reach, y + 0.02), (-0.5 * reach, y), (0, y - bow), (0.5 * reach, y),
                          (reach, y + 0.02))  # fmt: skip
            shapes.append(Shape(ribbon(line, 0.035), opacity=0.7 * strength))
    if lower > 0.1:
        for side in (-1, 1):
            line = smooth((side * 0.1, -0.5), (side * 0.075, -0.36), (side * 0.09, -0.2))
            shapes.append(Shape(ribbon(line, 0.045, upright=True), opacity=0.85 * lower))
    wrinkle = movement.mean(9)
    if wrinkle > 0.1:
        for y in (-0.06, 0.05, 0.16):
            line = smooth((-0.15, y + 0.03), (0, y - 0.02), (0.15, y + 0.03))
            shapes.append(Shape(ribbon(line, 0.045), opacity=0.85 * wrinkle, lift=0.12))
    return shapes


def _folds(identity: Identity, side: int, units: Units, mouth: Mouth, nose_y: float) -> list[Shape]:
    au = units.get
    age = identity.age
    e = 0.5 * identity.eye_distance
    shapes = []
    deep = 0.12 + 0.35 * age + 0.6 * au(12, 0) + 0.55 * au(10, 0) + 0.5 * au(9, 0) + 0.5 * au(11, 0)
    deep += 0.25 * au(20, 0) + 0.2 * au(15, 0)
    start = nose_y - 0.06 - 0.04 * au(10, 0) - 0.04 * au(9, 0)
    corner_x, corner_y = mouth.corner(side)
    line = smooth(
        (side * 0.25, start),
        (side * (0.36 + 0.06 * au(12, 0) + 0.05 * au(10, 0)), start + 0.16),
        (corner_x + side * (0.11 + 0.03 * au(12, 0)), corner_y - 0.04),
        (corner_x + side * 0.1, corner_y + 0.1),
    )
    shapes.append(Shape(ribbon(line, 0.05, upright=True), opacity=min(0.85, deep)))
    smile = au(6, 0)
    bag = smooth(
        (side * (e - 0.22), 0.13), (side * e, 0.2 - 0.03 * smile), (side * (e + 0.24), 0.12)
    )
    shapes.append(Shape(ribbon(bag, 0.035), opacity=0.12 + 0.35 * age + 0.5 * max(smile, au(7, 0))))
    if smile > 0.15:
        for y, fall in ((-0.06, -0.05), (0.02, 0.01), (0.09, 0.07)):
            line = smooth((side * (e + 0.33), y), (side * (e + 0.42), y + fall / 2),
                          (side * (e + 0.52), y + fall))  # fmt: skip
            shapes.append(Shape(ribbon(line, 0.028), opacity=0.8 * smile))
    dimple = 0.8 * au(14, 0) + 0.45 * au(12, 0) + 0.5 * au(24, 0)
    if dimple > 0.1:
        shapes.append(
            Shape(ellipse(corner_x + side * 0.04, corner_y, 0.03, 0.06), opacity=min(0.9, dimple))
        )
    if au(15, 0) > 0.1:
        line = smooth((corner_x, corner_y), (corner_x + side * 0.07, corner_y + 0.12),
                      (corner_x + side * 0.05, corner_y + 0.24))  # fmt: skip
        shapes.append(Shape(ribbon(line, 0.04, upright=True), opacity=0.7 * au(15, 0)))
    return shapes


def _chin(movement: Movement, mouth: Mouth) -> list[Shape]:
    raised = movement.mean(17)
    if raised < 0.15:
        return []
    y = mouth.bottom + 0.13
    line = smooth((-0.2, y + 0.06), (-0.1, y), (0, y - 0.015), (0.1, y), (0.2, y + 0.06))
    dots = [
        Shape(ellipse(x, y + 0.13, 0.022, 0.03), opacity=0.55 * raised) for x in (-0.08, 0.02, 0.1)
    ]
    return [Shape(ribbon(line, 0.05), opacity=0.85 * raised), *dots]


def _nose_shade(identity: Identity, nose_y: float, view: View) -> list[Shape]:
    width = 0.21 * identity.nose_width
    shapes = [Shape(ellipse(0, nose_y + 0.1, width, 0.05), opacity=0.5, lift=0.1)]
    for side in (-1, 1):
        away = 0.5 - 0.5 * side * view.light[0] * view.light_strength  # 0 lit, 1 in shadow
        plane = np.array([
            [side * 0.06, -0.15], [side * 0.16, 0.1], [side * (width + 0.03), nose_y - 0.05],
            [side * width, nose_y + 0.05], [side * 0.09, nose_y - 0.1], [side * 0.05, 0.1],
        ])  # fmt: skip
        shapes.append(Shape(plane, opacity=0.16 + 0.34 * away, lift=0.12))
    return shapes


def _bridge(nose_y: float) -> np.ndarray:
    return np.array([[-0.035, 0.0], [0.035, 0.0], [0.05, nose_y - 0.15], [-0.05, nose_y - 0.15]])


def _nostrils(identity: Identity, nose_y: float, dark: RGB) -> list[Shape]:
    width = 0.21 * identity.nose_width
    shapes = []
    for side in (-1, 1):
        wing = smooth((side * 0.9 * width, nose_y - 0.09), (side * 1.05 * width, nose_y),
                      (side * 0.82 * width, nose_y + 0.055))  # fmt: skip
        shapes.append(
            Shape(ribbon(wing, 0.028, upright=True), mix(identity.skin, dark, 0.55), lift=0.1)
        )
        hole = ellipse(side * 0.46 * width, nose_y + 0.04, 0.24 * width, 0.026)
        hole[:, 1] += 0.25 * side * (hole[:, 0] - side * 0.46 * width)
        shapes.append(Shape(hole, mix(dark, INK, 0.5), lift=0.22))
    return shapes
