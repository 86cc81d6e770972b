"""What surrounds the face: ground, neck, clothes, ears, hair, beard, glasses, things in the way."""

from __future__ import annotations

import numpy as np

from fer_core.data.drawn.action_units import Movement
from fer_core.data.drawn.canvas import Layer, Shape, Soft, Solid
from fer_core.data.drawn.face import jaw_drop
from fer_core.data.drawn.identity import Identity, View, mix
from fer_core.data.drawn.outlines import between, ellipse, ribbon, smooth


def behind_layers(identity: Identity, view: View, random: np.random.Generator) -> list[Layer]:
    """Painted before the face: things in the room, long hair, neck, shoulders, ears."""
    skin, width = identity.skin, identity.face_width
    shade = mix(skin, (50, 26, 20), 0.33)
    room = []
    for _ in range(view.clutter):
        x, y = random.uniform(-1.6, 1.6), random.uniform(-1.5, 1.8)
        colour = tuple(random.uniform(20, 230, 3))
        size = random.uniform(0.2, 1.0, 2)
        room.append(Shape(ellipse(x, y, size[0], size[1]), colour, depth=-1.0))
    body = []
    if identity.hair_style in ("long", "scarf"):
        reach = 2.1 if identity.hair_style == "long" else 1.9
        body.append(
            Shape(
                smooth((0, -2.0), (0.85, -1.72), (1.3 * width, -0.7), (1.36 * width, 0.6),
                       (1.2, reach), (-1.2, reach), (-1.36 * width, 0.6), (-1.3 * width, -0.7),
                       (-0.85, -1.72), closed=True),
                mix(_cover(identity), (0, 0, 0), 0.08),
                depth=-0.3,
                lit=True,
            )
        )  # fmt: skip
    if identity.hair_style == "bun":
        body.append(
            Shape(ellipse(0.1, -2.1, 0.5, 0.42), mix(identity.hair, (0, 0, 0), 0.2), depth=-0.3)
        )
    neck = np.array([[-0.58, 1.0], [0.58, 1.0], [0.62, 2.2], [1.0, 2.6], [-1.0, 2.6], [-0.62, 2.2]])
    body.append(Shape(neck, shade, depth=-0.1, lit=True))
    shoulders = smooth(
        (-0.66, 2.15), (-1.5, 2.45), (-2.2, 2.9), (-2.4, 4.5), (2.4, 4.5), (2.2, 2.9),
        (1.5, 2.45), (0.66, 2.15), (0, 2.6), closed=True,
    )  # fmt: skip
    body.append(Shape(shoulders, identity.clothes, depth=-0.1, lit=False))
    if identity.hair_style not in ("long", "scarf", "curly"):
        for side in (-1, 1):
            x = side * 1.1 * width
            body.append(
                Shape(ellipse(x, 0.2, 0.13, 0.27), mix(skin, shade, 0.25), depth=0.1, lit=True)
            )
            body.append(
                Shape(ellipse(x + side * 0.02, 0.2, 0.06, 0.17), mix(skin, shade, 0.8), depth=0.1)
            )
    layers: list[Layer] = [Solid(body)]
    return [Solid(room), *layers] if room else layers


def front_layers(
    identity: Identity, movement: Movement, view: View, random: np.random.Generator
) -> list[Layer]:
    """Painted after the face: beard, hair, glasses, and what is in the way."""
    layers: list[Layer] = []
    layers += _hair(identity, random)
    if identity.glasses != "none":
        layers.append(_glasses(identity))
    layers += _occlusion(identity, view, random)
    return layers


def beard_layers(identity: Identity, movement: Movement) -> list[Layer]:
    """Painted on the skin before the mouth, which it leaves free."""
    if identity.beard == "none":
        return []
    drop = jaw_drop(movement)
    chin = 1.62 * identity.chin + drop
    jaw = identity.face_width * identity.jaw_width
    colour = mix(identity.hair, (30, 24, 22), 0.2)
    nose_y = 0.66 * identity.nose_length
    moustache = smooth((-0.5, 1.1), (-0.3, nose_y + 0.2), (0, nose_y + 0.16), (0.3, nose_y + 0.2),
                       (0.5, 1.1), (0.25, 1.0), (0, 0.96), (-0.25, 1.0), closed=True)  # fmt: skip
    if identity.beard == "moustache":
        return [Soft(colour, 0.015, [Shape(moustache, opacity=0.9)])]
    full = smooth(
        (-1.05 * identity.face_width, 0.35), (-0.85 * jaw, 0.85), (-0.5, 0.95), (0, nose_y + 0.2),
        (0.5, 0.95), (0.85 * jaw, 0.85), (1.05 * identity.face_width, 0.35),
        (1.02 * identity.face_width, 0.8), (0.8 * jaw, 0.74 * chin), (0.45 * jaw, 0.95 * chin),
        (0, chin + 0.02), (-0.45 * jaw, 0.95 * chin), (-0.8 * jaw, 0.74 * chin),
        (-1.02 * identity.face_width, 0.8), closed=True,
    )  # fmt: skip
    opacity = 0.3 if identity.beard == "stubble" else 0.88
    return [Soft(colour, 0.05, [Shape(full, opacity=opacity, depth=0.5)], on_head=True)]


def _cover(identity: Identity):
    """The colour of what covers the head: hair, or a scarf in the colour of the clothes."""
    return identity.clothes if identity.hair_style == "scarf" else identity.hair


def _hair(identity: Identity, random: np.random.Generator) -> list[Layer]:
    style, width = identity.hair_style, identity.face_width
    part = float(random.uniform(-0.5, 0.5))
    if style == "bald":
        return []
    hairline = _hairline(identity, part, random)
    (left, low), (right, _) = hairline[0], hairline[-1]
    puff = {"short": 0.0, "receding": -0.05, "curly": 0.14, "scarf": 0.02}.get(style, 0.06)
    side, shoulder, top = (1.15 + puff) * width, (1.02 + puff) * width, -1.72 - puff
    outer = smooth(
        (left - 0.1, low), (-side, -0.45), (-shoulder, -1.15), (-0.62, top), (0, top - 0.2),
        (0.62, top), (shoulder, -1.15), (side, -0.45), (right + 0.1, low),
    )  # fmt: skip
    if style == "curly":
        bumps = 0.06 * np.abs(np.sin(np.linspace(0, 9 * np.pi, len(outer))))
        outer = outer * (1 + bumps[:, None])
    fore = 0.9 * np.sqrt(np.clip(1 - (hairline[:, 0] / 1.25) ** 2, 0, 1)) + 0.15
    depth = np.concatenate([np.full(len(outer), 0.15), fore[::-1]])
    colour = _cover(identity)
    light, dark = _strands(style, outer, hairline, random)
    return [
        Solid([Shape(between(outer, hairline), colour, depth=depth, lit=True)]),
        Soft(mix(colour, (255, 236, 205), 0.25), 0.025, light),
        Soft(mix(colour, (0, 0, 0), 0.45), 0.025, dark),
    ]


def _hairline(identity: Identity, part: float, random: np.random.Generator) -> np.ndarray:
    """float (m, 2): where the hair ends on the face, from ear to ear over the brow."""
    style, width = identity.hair_style, identity.face_width
    line = {"fringe": -0.74, "receding": -1.42, "bun": -1.16}.get(style, -1.06) * identity.hairline
    crown = [(-0.82, -0.78), (-0.5, line), (0, line - 0.08), (0.5, line), (0.82, -0.78)]
    if style in ("parted", "long"):
        left, right = (part - 0.22, -1.0), (part + 0.26, -0.97)
        crown = [(-0.75, -0.72), left, (part, line - 0.28), right, (0.75, -0.7)]
    elif style == "fringe":
        left, right = (-0.8, line + 0.12), (0.8, line + 0.12)
        crown = [left, (-0.4, line), (0, line + 0.03), (0.4, line), right]
    low, reach = (0.2 if style in ("short", "curly", "receding") else -0.1), 1.03 * width
    if style in ("scarf", "long"):  # down the sides of the face
        low, reach = 1.25, 1.0 * width
    temple = (0.98 * width, -0.4)
    hairline = smooth((-reach, low), (-temple[0], temple[1]), *crown, temple, (reach, low))
    if style in ("fringe", "short", "curly"):  # locks
        steps = np.arange(len(hairline)) + random.uniform(0, 6)
        locks = np.sin(1.9 * steps) + 0.5 * np.sin(0.9 * steps)
        hairline[6:-6, 1] += (0.04 if style == "fringe" else 0.025) * locks[6:-6]
    return hairline


def _strands(
    style: str, outer: np.ndarray, hairline: np.ndarray, random: np.random.Generator
) -> tuple[list[Shape], list[Shape]]:
    """Light and dark strands between the outline of the hair and the hairline."""
    light: list[Shape] = []
    dark: list[Shape] = []
    if style in ("parted", "long", "bun", "scarf"):  # combed along the head
        places = np.linspace(0.06, 0.94, 24)
        wide = outer[(places * (len(outer) - 1)).astype(int)]
        narrow = hairline[(places * (len(hairline) - 1)).astype(int)]
        for share, strands in ((0.25, light), (0.45, dark), (0.62, light), (0.8, dark)):
            line = wide + (narrow - wide) * share
            strands.append(Shape(ribbon(line, 0.07), opacity=0.5, depth=0.4))
        return light, dark
    places = np.linspace(0.12, 0.88, 14) + random.uniform(-0.02, 0.02, 14)
    for number, place in enumerate(places):  # falling from the crown
        root = outer[int(place * (len(outer) - 1))] * (0.8, 0.97)
        tip = hairline[int(place * (len(hairline) - 1))]
        bend = 0.5 * (root + tip) + (0.12 * np.sign(tip[0]), -0.05)
        lock = ribbon(smooth(root, bend, tip), 0.05, upright=True)
        (light if number % 2 else dark).append(Shape(lock, opacity=0.36, depth=0.55))
    return light, dark


def _glasses(identity: Identity) -> Layer:
    e = 0.5 * identity.eye_distance
    frame = (38, 34, 36) if identity.glasses == "square" else (96, 74, 52)
    shapes = []
    for side in (-1, 1):
        if identity.glasses == "round":
            edge, inner = ellipse(side * e, 0.03, 0.37, 0.31), ellipse(side * e, 0.03, 0.335, 0.275)
        else:
            angles = np.linspace(0, 2 * np.pi, 28)
            around = np.stack([np.cos(angles), np.sin(angles)], 1)
            box = np.sign(around) * np.abs(around) ** 0.45
            edge, inner = (
                box * (0.39, 0.25) + (side * e, 0.03),
                box * (0.35, 0.21) + (side * e, 0.03),
            )
        ring = np.concatenate([edge, edge[:1], inner[:1], inner[::-1]])
        shapes.append(Shape(ring, frame, lift=0.16))
        arm = np.array(
            [
                [side * (e + 0.36), -0.06],
                [side * 1.08, -0.02],
                [side * 1.08, 0.03],
                [side * (e + 0.36), 0.0],
            ]
        )
        shapes.append(Shape(arm, frame, lift=0.05))
    bridge = smooth((-(e - 0.36), 0.0), (0, -0.06), (e - 0.36, 0.0))
    shapes.append(Shape(ribbon(bridge, 0.045, taper=0), frame, lift=0.16))
    return Solid(shapes)


def _occlusion(identity: Identity, view: View, random: np.random.Generator) -> list[Layer]:
    """A hand at the cheek, a bar across a corner, the brim of a hat."""
    side = 1 if random.random() < 0.5 else -1
    place = random.uniform(0, 1)
    if view.occlusion == "hand":
        skin = mix(identity.skin, (120, 60, 40), 0.12)
        y = 1.0 + 0.35 * place
        fingers = [Shape(ellipse(side * 1.35, y + 0.35, 0.42, 0.5), skin, depth=1.2)]
        for n in range(4):
            tip = (side * (0.5 + 0.07 * abs(n - 1.2)), y - 0.32 + 0.2 * n)
            root = (side * 1.25, y + 0.08 + 0.17 * n)
            colour = mix(skin, (60, 24, 16), 0.1 * (n % 2))
            finger = ribbon(smooth(tip, root), 0.2, taper=0.1)
            fingers += [
                Shape(finger, colour, depth=1.2),
                Shape(ellipse(*tip, 0.1, 0.09), colour, depth=1.2),
            ]
        return [Solid(fingers)]
    if view.occlusion == "bar":
        x = side * (0.75 + 0.3 * place)
        bar = np.array(
            [[x, -2.5], [x + side * 0.5, -2.5], [x + side * 0.4, 3.0], [x - side * 0.1, 3.0]]
        )
        return [Solid([Shape(bar, mix(identity.clothes, (0, 0, 0), 0.4), depth=1.3)])]
    if view.occlusion == "hat":
        wool = mix(identity.clothes, (20, 20, 20), 0.2)
        low = smooth((-1.24, -0.5), (-0.7, -0.68), (0, -0.74), (0.7, -0.68), (1.24, -0.5))
        dome = smooth((-1.24, -0.7), (-1.12, -1.4), (-0.6, -1.95), (0, -2.1), (0.6, -1.95),
                      (1.12, -1.4), (1.24, -0.7))  # fmt: skip
        return [
            Solid(
                [
                    Shape(between(dome, low), wool, depth=0.5, lit=True),
                    Shape(between(low - (0, 0.3), low), mix(wool, (0, 0, 0), 0.25), depth=0.6),
                ]
            )
        ]
    return []
