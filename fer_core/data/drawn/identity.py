"""Whose face it is and how it is seen: proportions, colours, hair, glasses; pose, light, camera.

Lengths are in distances between the pupils (63 mm on average); angles in degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RGB = tuple[float, float, float]
INK: RGB = (34, 24, 22)  # lashes, pupils' rims, the darkest lines

_SKINS: tuple[RGB, ...] = (
    (246, 214, 193),
    (238, 198, 170),
    (228, 184, 150),
    (213, 164, 127),
    (193, 140, 103),
    (165, 113, 80),
    (132, 88, 62),
    (104, 68, 50),
)
_HAIRS: tuple[RGB, ...] = (
    (34, 28, 26),
    (52, 38, 30),
    (82, 56, 38),
    (120, 84, 54),
    (168, 128, 82),
    (206, 172, 116),
    (142, 72, 40),
    (150, 148, 146),
    (214, 212, 208),
)
_IRISES: tuple[RGB, ...] = (
    (62, 40, 26),
    (86, 58, 34),
    (112, 96, 52),
    (84, 116, 88),
    (86, 122, 158),
)
_CLOTHES: tuple[RGB, ...] = (
    (70, 88, 120),
    (150, 70, 70),
    (88, 120, 96),
    (200, 196, 188),
    (58, 58, 64),
    (196, 160, 84),
    (128, 98, 140),
)

HAIR_STYLES = ("short", "parted", "fringe", "long", "curly", "bun", "receding", "bald", "scarf")
BEARDS = ("none", "stubble", "moustache", "full")
GLASSES = ("none", "round", "square")


@dataclass(frozen=True)
class Identity:
    """One person. Factors are 1 on average; `age` 0-1 deepens the folds of the skin at rest."""

    face_width: float
    jaw_width: float
    chin: float
    eye_distance: float
    eye_size: float
    eye_tilt: float
    brow_thickness: float
    brow_height: float
    brow_arch: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_height: float
    lips: float
    hairline: float
    age: float
    skin: RGB
    hair: RGB
    brow: RGB
    iris: RGB
    clothes: RGB
    hair_style: str
    beard: str
    glasses: str


@dataclass(frozen=True)
class View:
    """Pose, light and camera of one picture.

    yaw, pitch, roll in degrees; scale: distance between the pupils as a share of the side;
    shift_x, shift_y: share of the side, away from where FER2013 has the face.
    light: direction (x right, y down), light_strength 0-1; gain and offset act on tones 0-1;
    blur: standard deviation as a share of the side; noise: standard deviation of tones;
    background: two colours, top and bottom; occlusion: what covers a part of the face.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift_x: float
    shift_y: float
    light: tuple[float, float]
    light_strength: float
    gain: float
    offset: float
    blur: float
    noise: float
    background: tuple[RGB, RGB]
    clutter: int
    occlusion: str


def sample_identity(random: np.random.Generator) -> Identity:
    """A random person."""
    spread = random.normal(0, 1, 15).clip(-2, 2)
    tone = random.beta(1.1, 1.4) * (len(_SKINS) - 1)
    low = int(tone)
    skin = mix(_SKINS[low], _SKINS[min(low + 1, len(_SKINS) - 1)], tone - low)
    age = float(random.random() ** 1.5)
    hair = _HAIRS[int(random.integers(len(_HAIRS) - 2))]
    if tone > 4.5:  # dark skin with fair hair is rare enough to look like a mistake
        hair = _HAIRS[int(random.integers(2))]
    if age > 0.75:
        hair = mix(hair, _HAIRS[7 + int(random.integers(2))], random.uniform(0.5, 1))
    style = _weighted(HAIR_STYLES, (20, 16, 14, 20, 10, 6, 6, 5, 5), random)
    beard = "none"
    if style not in ("long", "bun", "scarf"):
        beard = _weighted(BEARDS, (66, 14, 8, 12), random)
    return Identity(
        face_width=1 + 0.06 * spread[0],
        jaw_width=1 + 0.08 * spread[1],
        chin=1 + 0.05 * spread[2],
        eye_distance=1 + 0.04 * spread[3],
        eye_size=1 + 0.09 * spread[4],
        eye_tilt=0.03 + 0.03 * spread[5],
        brow_thickness=1 + 0.25 * spread[6],
        brow_height=1 + 0.07 * spread[7],
        brow_arch=1 + 0.3 * spread[8],
        nose_width=1 + 0.12 * spread[9],
        nose_length=1 + 0.07 * spread[10],
        mouth_width=1 + 0.09 * spread[11],
        mouth_height=1 + 0.035 * spread[12],
        lips=1 + 0.22 * spread[13],
        hairline=1 + 0.08 * spread[14],
        age=age,
        skin=skin,
        hair=hair,
        brow=mix(hair, mix(skin, (30, 20, 18), 0.85), 0.6),
        iris=_IRISES[0 if tone > 4.5 else int(random.integers(len(_IRISES)))],
        clothes=_CLOTHES[int(random.integers(len(_CLOTHES)))],
        hair_style=style,
        beard=beard,
        glasses=_weighted(GLASSES, (86, 7, 7), random),
    )


def sample_view(random: np.random.Generator) -> View:
    """A random picture: the face about where FER2013 has it, everything else varied."""
    angle = random.uniform(0, 2 * np.pi)
    ground = random.uniform(20, 235)
    tint = random.uniform(-22, 22, 3)
    slope = random.uniform(-45, 45)
    return View(
        yaw=float(np.clip(random.normal(0, 13), -28, 28)),
        pitch=float(np.clip(random.normal(0, 6), -13, 13)),
        roll=float(np.clip(random.normal(0, 8), -22, 22)),
        scale=0.36 * float(np.exp(random.normal(0, 0.08))),
        shift_x=random.normal(0, 0.03),
        shift_y=random.normal(0, 0.03),
        light=(float(np.cos(angle)), float(-0.3 + 0.7 * np.sin(angle))),
        light_strength=random.uniform(0.1, 0.95),
        gain=random.uniform(0.75, 1.15),
        offset=random.uniform(-0.12, 0.1),
        blur=0.012 * float(random.random() ** 2),
        noise=0.035 * float(random.random() ** 2),
        background=(
            tuple(np.clip(ground + tint - slope, 0, 255)),
            tuple(np.clip(ground + tint + slope, 0, 255)),
        ),
        clutter=int(random.integers(0, 5)),
        occlusion=_weighted(("none", "hand", "bar", "hat"), (92, 3, 3, 2), random),
    )


def studio_view(identity: Identity) -> View:
    """A clean portrait: frontal, evenly lit, head and shoulders before a plain ground."""
    ground = mix((214, 219, 226), identity.clothes, 0.12)
    return View(
        yaw=0.0,
        pitch=0.0,
        roll=0.0,
        scale=0.21,
        shift_x=0.0,
        shift_y=0.07,
        light=(-0.5, -0.5),
        light_strength=0.4,
        gain=1.0,
        offset=0.0,
        blur=0.0,
        noise=0.0,
        background=(ground, mix(ground, (255, 255, 255), 0.25)),
        clutter=0,
        occlusion="none",
    )


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """`share` 0 gives the first colour, 1 the second."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def _weighted(names: tuple[str, ...], weights: tuple[int, ...], random: np.random.Generator) -> str:
    limits = np.cumsum(weights)
    return names[int(np.searchsorted(limits, random.random() * limits[-1], side="right"))]
