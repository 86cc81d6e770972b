"""Lines and areas as outlines: float arrays (n, 2) of points in face units, x right, y down."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_ANGLES = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # (20, 2)


def ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    """float (20, 2); width and height are half axes."""
    return _CIRCLE * (width, height) + (x, y)


def smooth(*points: tuple[float, float], closed: bool = False) -> np.ndarray:
    """A Catmull-Rom curve through the points, float (m, 2)."""
    return _spline(len(points), closed) @ np.asarray(points, dtype=np.float64)


def ribbon(
    points: np.ndarray, width: float, upright: bool = False, taper: float = 1.0
) -> np.ndarray:
    """A line as an outline: `width` in the middle, thinner towards both ends by `taper` 0-1.

    The width is measured vertically, or horizontally for an upright line.
    """
    half = 0.5 * width * (1.0 - taper * _squares(len(points)))
    count, axis = len(points), 0 if upright else 1
    outline = np.concatenate([points, points[::-1]])
    outline[:count, axis] -= half
    outline[count:, axis] += half
    return outline


def between(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The area between two lines that run the same way."""
    return np.concatenate([upper, lower[::-1]])


def lowered(points: np.ndarray, by: float) -> np.ndarray:
    """The same line `by` further down the picture."""
    moved = points.copy()
    moved[:, 1] += by
    return moved


@lru_cache(maxsize=64)
def _squares(count: int) -> np.ndarray:
    """float (count,): squared places from -1 to 1, the same from both ends."""
    return np.linspace(-1.0, 1.0, count) ** 2


@lru_cache(maxsize=32)
def _spline(count: int, closed: bool, steps: int = 6) -> np.ndarray:
    """float (m, count): the weights of `count` points in a Catmull-Rom curve through them."""
    rows = []
    segments = count if closed else count - 1
    for segment in range(segments):
        for step in range(steps):
            t = step / steps
            weights = (
                -0.5 * t + t**2 - 0.5 * t**3,
                1 - 2.5 * t**2 + 1.5 * t**3,
                0.5 * t + 2 * t**2 - 1.5 * t**3,
                -0.5 * t**2 + 0.5 * t**3,
            )
            row = np.zeros(count)
            for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
                place = segment + offset
                row[place % count if closed else min(max(place, 0), count - 1)] += weight
            rows.append(row)
    if not closed:
        last = np.zeros(count)
        last[-1] = 1
        rows.append(last)
    return np.array(rows)
