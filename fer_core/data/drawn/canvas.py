"""Painting coloured outlines of a face into a picture, with pose, light and camera.

Outlines come in face units (origin between the pupils, x right, y down, one unit = their distance);
they are put on an ellipsoid head, turned, projected without perspective and drawn enlarged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from fer_core.data.drawn.identity import RGB, View

#: Half axes of the head (x, y, z) and its centre's y, in face units.
HEAD_AXES = (1.28, 2.05, 1.15)
HEAD_CENTRE_Y = 0.12
_TURNING_DEPTH = 0.62  # the depth that stays in place when the head turns
#: Where FER2013 has the point between the eyes, as shares of the side.
EYES_AT = (0.505, 0.39)


@dataclass(slots=True)
class Shape:
    """points: float (n, 2) outline in face units. opacity 0-1 counts in `Soft` layers only.
    depth: z of the points; None puts them on the head's surface, `lift` above it.
    lit: True for a part of the head, which the light models; False for what hides such a part."""

    points: np.ndarray
    colour: RGB = (0, 0, 0)
    opacity: float = 1.0
    lift: float = 0.0
    depth: float | np.ndarray | None = None
    lit: bool | None = None


@dataclass(slots=True)
class Solid:
    """Shapes painted one over the other."""

    shapes: list[Shape]


@dataclass(slots=True)
class Soft:
    """One colour through a mask of shapes, blurred by `softness` (standard deviation in units).

    on_head: nothing is painted outside the lit shapes so far.
    """

    colour: RGB
    softness: float
    shapes: list[Shape]
    on_head: bool = False


@dataclass(slots=True)
class Clipped:
    """Shapes painted only inside `clip`: an eye between its lids, teeth between the lips."""

    clip: Shape
    shapes: list[Shape]


Layer = Solid | Soft | Clipped


class Canvas:
    """A picture of `image_size` pixels, painted `enlarged` times larger for smooth edges."""

    def __init__(self, image_size: int, channels: int, view: View) -> None:
        self.image_size, self.channels, self.view = image_size, channels, view
        self.enlarged = 3 if image_size <= 96 else 2
        side = image_size * self.enlarged
        ground = _gradient(side, tuple(map(self._ink, view.background)))
        self.image = Image.fromarray(ground)  # "L" or "RGB"
        self._head = Image.new("L", (side, side))  # where the light models the head
        self._draw, self._draw_head = ImageDraw.Draw(self.image), ImageDraw.Draw(self._head)
        self.unit = view.scale * side  # pixels per face unit
        yaw, pitch, roll = np.deg2rad((view.yaw, view.pitch, view.roll))
        turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        tilt = np.array(
            [
                [np.cos(yaw), 0.0, np.sin(yaw)],
                [np.sin(yaw) * np.sin(pitch), np.cos(pitch), -np.cos(yaw) * np.sin(pitch)],
            ]
        )
        self._matrix = (turn @ tilt).T * self.unit  # (3, 2)
        # the face turns about a point below the eyes, which stays where it is
        pivot = np.array([0.0, 0.5, _TURNING_DEPTH])
        eyes = np.array([EYES_AT[0] + view.shift_x, EYES_AT[1] + view.shift_y]) * side
        self._offset = eyes + np.array([0.0, 0.5]) * self.unit - pivot @ self._matrix

    def paint(self, layers: Sequence[Layer]) -> None:
        """Paints the layers in order; the points of all of them are projected together."""
        groups = [_shapes(layer) for layer in layers]
        points = self._pixels([shape for group in groups for shape in group])
        start = 0
        for layer, group in zip(layers, groups, strict=True):
            end = start + sum([len(shape.points) for shape in group])
            if isinstance(layer, Solid):
                self._paint_solid(layer, points[start:end])
            elif isinstance(layer, Soft):
                self._paint_soft(layer, points[start:end])
            else:
                self._paint_clipped(layer, points[start:end])
            start = end

    def finish(self, random: np.random.Generator) -> np.ndarray:
        """uint8 (S, S, C): light on the head, the camera's tones, blur and noise."""
        view, size = self.view, self.image_size
        picture = self.image.reduce(self.enlarged)
        if view.blur * size > 0.25:
            picture = picture.filter(ImageFilter.GaussianBlur(view.blur * size))
        tones = np.asarray(picture, dtype=np.float32).reshape(size, size, self.channels)
        tones = tones * self._light()[..., None]
        middle = 128.0 + 255.0 * view.offset
        tones = (tones - 128.0) * view.gain + middle
        if view.noise:
            tones += random.standard_normal((size, size, 1), dtype=np.float32) * (255 * view.noise)
        return tones.clip(0, 255).round().astype(np.uint8)

    def _light(self) -> np.ndarray:
        """float32 (S, S): Lambert's law on the head's ellipsoid, 1 where it looks at the viewer."""
        view, size = self.view, self.image_size
        centre = self._project(np.array([[0.0, HEAD_CENTRE_Y + 0.1, 0.0]]))[0] / self.enlarged
        radius = np.array(HEAD_AXES[:2]) * self.unit / self.enlarged
        rows, columns = _grid(size)
        x = (columns - np.float32(centre[0])) / np.float32(radius[0])
        y = (rows - np.float32(centre[1])) / np.float32(radius[1])
        z = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.0))
        facing = x * view.light[0] + y * view.light[1] + 0.6 * (z - 1.0)
        head = np.asarray(self._head.reduce(self.enlarged), dtype=np.float32) / 255
        return 1.0 + (0.55 * view.light_strength) * facing.clip(-1.4, 0.9) * head

    def _project(self, points: np.ndarray) -> np.ndarray:
        return points @ self._matrix + self._offset

    def _pixels(self, shapes: list[Shape]) -> np.ndarray:
        """float (P, 2): the points of all shapes in a row, in pixels of the enlarged picture."""
        flat = np.concatenate([shape.points for shape in shapes])
        points = np.empty((len(flat), 3))
        points[:, :2] = flat
        x, y = flat[:, 0], flat[:, 1] - HEAD_CENTRE_Y
        squares = (x / HEAD_AXES[0]) ** 2 + (y / HEAD_AXES[1]) ** 2
        points[:, 2] = HEAD_AXES[2] * np.sqrt(np.maximum(1.0 - squares, 0.0))
        start = 0
        for shape in shapes:
            end = start + len(shape.points)
            if shape.depth is not None:
                points[start:end, 2] = shape.depth
            elif shape.lift:
                points[start:end, 2] += shape.lift
            start = end
        return self._project(points)

    def _paint_solid(self, layer: Solid, points: np.ndarray) -> None:
        for shape, outline in zip(layer.shapes, _outlines(layer.shapes, points), strict=True):
            self._draw.polygon(outline, fill=self._ink(shape.colour))
            if shape.lit is not None:
                self._draw_head.polygon(outline, fill=255 if shape.lit else 0)

    def _paint_soft(self, layer: Soft, points: np.ndarray) -> None:
        radius = layer.softness * self.unit
        shrink = max(1, min(4, int(0.8 * radius)))  # a blurred mask needs no fine pixels
        blurred = radius > 1.4  # less than that is lost when the picture is reduced
        if not layer.shapes:
            return
        corner, size = self._window(points, 2.5 * radius * blurred + shrink)
        if min(size) < 1:
            return
        small = (-(-size[0] // shrink), -(-size[1] // shrink))
        mask = Image.new("L", small)
        draw = ImageDraw.Draw(mask)
        outlines = _outlines(layer.shapes, (points - corner) / shrink)
        for shape, outline in zip(layer.shapes, outlines, strict=True):
            draw.polygon(outline, fill=int(255 * min(1.0, max(0.0, shape.opacity))))
        if blurred:
            mask = mask.filter(ImageFilter.GaussianBlur(radius / shrink))
        if shrink > 1:
            mask = mask.resize((small[0] * shrink, small[1] * shrink), Image.Resampling.BILINEAR)
        box = (corner[0], corner[1], corner[0] + mask.width, corner[1] + mask.height)
        if layer.on_head:
            mask = ImageChops.multiply(mask, self._head.crop(box))
        self.image.paste(self._ink(layer.colour), box, mask)

    def _paint_clipped(self, layer: Clipped, points: np.ndarray) -> None:
        count = len(layer.clip.points)
        corner, size = self._window(points[:count], 1)
        if min(size) < 1:
            return
        patch, mask = Image.new(self.image.mode, size), Image.new("L", size)
        clip, *inside = _outlines([layer.clip, *layer.shapes], points - corner)
        ImageDraw.Draw(mask).polygon(clip, fill=255)
        draw = ImageDraw.Draw(patch)
        for shape, outline in zip(layer.shapes, inside, strict=True):
            draw.polygon(outline, fill=self._ink(shape.colour))
        self.image.paste(patch, corner, mask)

    def _window(self, points: np.ndarray, margin: float) -> tuple[tuple[int, int], tuple[int, int]]:
        """(left, top) and (width, height) of the points and `margin` around, in the picture."""
        side = self.image.size[0]
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        left, top = max(0, int(left - margin)), max(0, int(top - margin))
        right, bottom = min(side, int(right + margin + 1)), min(side, int(bottom + margin + 1))
        return (left, top), (right - left, bottom - top)

    def _ink(self, colour: RGB) -> int | tuple[int, ...]:
        """The colour as Pillow wants it; in a grey picture its luma (ITU-R BT.601)."""
        if self.channels == 1:
            return int(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
        return (int(colour[0]), int(colour[1]), int(colour[2]))


def _shapes(layer: Layer) -> list[Shape]:
    return [layer.clip, *layer.shapes] if isinstance(layer, Clipped) else layer.shapes


def _outlines(shapes: Sequence[Shape], points: np.ndarray) -> list[list[float]]:
    """The points (P, 2) of all shapes in a row, as one flat list x, y, x, y, … per shape."""
    flat, start, outlines = points.ravel().tolist(), 0, []
    for shape in shapes:
        end = start + 2 * len(shape.points)
        outlines.append(flat[start:end])
        start = end
    return outlines


def _gradient(side: int, inks: tuple) -> np.ndarray:
    """uint8 (side, side[, 3]): from the first ink at the top to the second at the bottom."""
    top, bottom = np.asarray(inks[0], dtype=np.float64), np.asarray(inks[1], dtype=np.float64)
    share = np.linspace(0, 1, side).reshape((side, 1) + (1,) * top.ndim)
    rows = (top + (bottom - top) * share).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows, (side, side, *top.shape)))


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (size, 1) rows and (1, size) columns of pixel centres."""
    places = np.arange(size, dtype=np.float32) + 0.5
    return places[:, None], places[None, :]
