"""The mouth: lips, teeth and tongue from action units 9 to 27.

Lengths are in face units (the distance between the pupils); a number before an action unit is how
far its full strength moves the feature.
"""

from __future__ import annotations

import numpy as np

from fer_core.data.drawn.action_units import Movement
from fer_core.data.drawn.canvas import Clipped, Layer, Shape, Soft, Solid
from fer_core.data.drawn.identity import RGB, Identity, mix
from fer_core.data.drawn.outlines import between, ellipse, lowered, ribbon

_T = np.linspace(-1.0, 1.0, 17)  # from corner to corner
_DOME = 1.0 - _T**2


class Mouth:
    """The four lines of the lips, and what is seen between them."""

    def __init__(self, identity: Identity, movement: Movement) -> None:
        mean = movement.mean
        self.identity, self.movement = identity, movement
        rest = 1.03 * identity.mouth_height
        parted = mean(25)
        opening = parted * (0.11 + 0.07 * mean(12)) + 0.28 * mean(26) * min(1.0, parted + 0.2)
        opening += 0.52 * mean(27)
        width = 0.42 * identity.mouth_width + 0.14 * mean(12) + 0.14 * mean(20) + 0.05 * mean(14)
        width -= 0.04 * mean(23) + 0.05 * mean(24) + 0.13 * mean(18) + 0.07 * mean(22)
        width -= 0.1 * mean(27) + 0.05 * mean(26) * (1 - mean(12)) + 0.04 * mean(17)
        upper = rest - 0.14 * mean(10) - 0.07 * mean(9) - 0.05 * mean(17) - 0.03 * mean(12) * parted
        upper -= 0.04 * mean(22) * parted + 0.02 * mean(27)
        lower = upper + opening + 0.09 * mean(16) * min(1.0, 0.3 + parted)
        x = width * _T
        corners = []
        for units in (movement.left, movement.right):
            au = units.get
            corners.append(
                rest - 0.025 - 0.23 * au(12, 0) - 0.02 * au(14, 0)
                + 0.18 * au(15, 0) + 0.04 * au(20, 0)
                + 0.4 * opening * (1 - 0.6 * au(12, 0)) - 0.02 * au(10, 0)
            )  # fmt: skip
        slant = np.where(_T < 0, corners[0], corners[1])
        square = 1 + 0.9 * max(mean(10), mean(22), 0.8 * mean(20), mean(27) * 0.5) * min(
            1.0, 2 * parted
        )
        dome = 1 - np.abs(_T) ** (2 * square)
        inner_upper = slant + (upper - slant) * dome
        inner_lower = slant + (lower - slant) * dome
        thin = 0.5 * mean(23) + 0.65 * mean(24) + 0.3 * mean(12) + 0.25 * mean(20) + 0.2 * mean(9)
        thick = identity.lips * max(0.15, 1 - thin) * (1 + 0.35 * mean(22) + 0.5 * mean(18))
        bow = 1 - 0.3 * np.exp(-((_T / 0.13) ** 2))
        outer_upper = inner_upper - 0.105 * thick * _DOME**0.75 * bow
        outer_lower = inner_lower + 0.13 * thick * (1 + 0.2 * mean(17)) * _DOME**0.7
        self.upper, self.lower = np.stack([x, inner_upper], 1), np.stack([x, inner_lower], 1)
        self.top, self.under = np.stack([x, outer_upper], 1), np.stack([x, outer_lower], 1)
        self.opening, self.bottom = lower - upper, float(outer_lower.max())

    def corner(self, side: int) -> tuple[float, float]:
        x, y = self.upper[0 if side < 0 else -1]
        return float(x), float(y)

    def below(self) -> tuple[np.ndarray, np.ndarray]:
        """Upper and lower edge of the shadow under the lower lip."""
        middle = self.under[4:-4]
        return lowered(middle, 0.03), lowered(middle, 0.11)

    def layers(self, skin: RGB, dark: RGB) -> list[Layer]:
        mean = self.movement.mean
        lip = mix(mix(skin, (186, 70, 74), 0.42), (60, 24, 24), 0.08)
        upper_lip = mix(lip, (60, 20, 22), 0.22)
        layers: list[Layer] = [
            Solid([
                Shape(between(self.top, self.upper), upper_lip, lift=0.06),
                Shape(between(self.lower, self.under), lip, lift=0.06),
            ])
        ]  # fmt: skip
        if self.opening > 0.025:
            shown = 0.03 + 0.13 * max(mean(12), mean(10), 0.6 * mean(20), 0.5 * mean(22))
            teeth = min(shown, 0.62 * self.opening + 0.1 * mean(12))
            inside = [
                Shape(
                    between(lowered(self.upper, -0.05), lowered(self.lower, 0.05)),
                    (62, 22, 24),
                    lift=0.05,
                ),
                Shape(
                    between(lowered(self.upper, -0.05), lowered(self.upper, teeth)),
                    (238, 234, 226),
                    lift=0.05,
                ),
            ]
            lower_teeth = 0.35 * max(mean(16), 0.8 * mean(20), mean(22)) * self.opening
            if lower_teeth > 0.02:
                edge = lowered(self.lower, -lower_teeth)
                inside.append(
                    Shape(between(edge, lowered(self.lower, 0.05)), (216, 210, 202), lift=0.05)
                )
            elif self.opening > 0.2:
                y = float(self.lower[8, 1])
                inside.append(
                    Shape(ellipse(0, y, 0.24, 0.35 * self.opening), (176, 84, 84), lift=0.05)
                )
            layers.append(Clipped(Shape(between(self.upper, self.lower), lift=0.06), inside))
        line = mix(dark, (40, 12, 14), 0.5)
        layers.append(Solid([Shape(ribbon(self.upper, 0.03, taper=0.4), line, lift=0.06)]))
        shine = between(lowered(self.lower[5:-5], 0.035), lowered(self.lower[5:-5], 0.065))
        layers.append(
            Soft(mix(lip, (255, 255, 255), 0.6), 0.012, [Shape(shine, opacity=0.5, lift=0.06)])
        )
        return layers
