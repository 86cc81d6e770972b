"""Warps a found face to the frame that FER2013 faces fill: picture and FaceBox in, square face out.

The frame was measured on 1,789 training faces (see `alignment_study.measure_frame`); which of the
modes classifies best was measured too (`alignment_study.compare_alignments`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as functional

from fer_core.data.tones import LUMA
from fer_core.inference.detect import FaceBox

#: Medians over FER2013 training faces, in a frame of 48 x 48 with its corner at (0, 0); rows as in
#: FaceBox.landmarks. 2,000 faces drawn with seed 1, of which the detector found 89 %.
FRAME_SIZE = 48
TEMPLATE = np.array([[15.2, 18.7], [33.4, 18.4], [24.3, 28.9], [16.9, 37.9], [31.9, 37.8]])
#: The detector's box in the same frame: centre, and side of the square of equal area.
TEMPLATE_BOX_CENTRE = (23.8, 24.5)
TEMPLATE_BOX_SIZE = 44.6

#: mode → what the frame is fitted to.
MODES = {
    "eyes": "the two eyes",
    "five_points": "eyes, nose and mouth corners, least squares",
    "box": "the detector's box, as upright as the picture",
    "box_rolled": "the detector's box, turned until the eyes are level",
}
#: For one cut alone, as of views in training. On faces as they were pasted it classifies best,
#: turned ones level (`results/alignment.md`, error about 2 points); it needs no landmark.
DEFAULT_MODE = "box"

#: (mode, side) of the two cuts of a found face of which a predictor takes the mean, the second
#: mirrored. Where a face ends is known to some 17 % only, and two frames err less than one.
READINGS = (("box_rolled", 1.0), ("box", 0.92))

#: At most this many samples a side are averaged into one pixel; a finer picture is reduced first.
_SAMPLES = 6
_LUMA = np.array(LUMA, dtype=np.float32)


def align_face(
    image: np.ndarray,
    face: FaceBox,
    image_size: int,
    mode: str = DEFAULT_MODE,
    side: float = 1.0,
    grey: bool = False,
) -> np.ndarray:
    """The face as uint8 (image_size, image_size, C), in the frame of the training faces.

    image: uint8 (H, W, C). mode: a key of MODES. side: of what is cut, as a share of the frame's,
    about the same middle. grey: one channel of a coloured image, which is less work than three.
    A pixel of the result is the mean of the part of the picture under it; beyond the picture's edge
    the edge is repeated.
    """
    scale, origin = frame_in_picture(face, mode)
    origin += scale * (1 - side) * complex(FRAME_SIZE, FRAME_SIZE) / 2
    scale *= side
    return _sample(image, scale * FRAME_SIZE / image_size, origin, image_size, grey)


def frame_in_picture(face: FaceBox, mode: str = DEFAULT_MODE) -> tuple[complex, complex]:
    """(scale, origin) of the frame: its point z = x + iy lies at scale * z + origin in the picture.

    The modulus of scale is picture pixels per frame pixel, its angle the in-plane rotation.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    if mode in ("box", "box_rolled"):
        return _fit_box(face, rolled=mode == "box_rolled")
    rows = slice(0, 2) if mode == "eyes" else slice(0, 5)
    return _fit_points(TEMPLATE[rows], np.asarray(face.landmarks, np.float64)[rows], face)


def _fit_points(template: np.ndarray, points: np.ndarray, face: FaceBox) -> tuple[complex, complex]:
    """The similarity that takes `points` to `template` with the least squared error, inverted.

    Umeyama (1991), "Least-squares estimation of transformation parameters between two point
    patterns", which in the plane is one complex factor; two points are met exactly.
    """
    source = points[:, 0] + 1j * points[:, 1]
    target = template[:, 0] + 1j * template[:, 1]
    centred = source - source.mean()
    spread = float((np.abs(centred) ** 2).sum())
    factor = (centred.conj() * (target - target.mean())).sum() / spread if spread else 0
    if abs(factor) < 1e-6:  # points that lie on one another say nothing of size or rotation
        return _fit_box(face, rolled=False)
    scale = 1 / complex(factor)
    return scale, complex(source.mean()) - scale * complex(target.mean())


def _fit_box(face: FaceBox, rolled: bool) -> tuple[complex, complex]:
    x0, y0, x1, y1 = face.box
    scale = complex(max(face.size, 1.0) / TEMPLATE_BOX_SIZE)
    if rolled:
        left, right = np.asarray(face.landmarks, np.float64)[:2]
        roll = math.atan2(right[1] - left[1], right[0] - left[0])
        scale *= complex(math.cos(roll), math.sin(roll))
    centre = complex((x0 + x1) / 2, (y0 + y1) / 2)
    return scale, centre - scale * complex(*TEMPLATE_BOX_CENTRE)


def _sample(
    image: np.ndarray, scale: complex, origin: complex, size: int, grey: bool
) -> np.ndarray:
    """Area-averaged reading of a square; its pixel z begins at scale * z + origin."""
    height, width = image.shape[:2]
    corners = [scale * corner + origin for corner in (0, size, 1j * size, size + 1j * size)]
    margin = 2 + 2 * abs(scale)
    left, right = _span([corner.real for corner in corners], margin, width)
    top, bottom = _span([corner.imag for corner in corners], margin, height)
    region = image[top:bottom, left:right].astype(np.float32)  # (h, w, C)
    if grey and region.shape[2] == 3:
        region = np.dot(region.reshape(-1, 3), _LUMA).reshape(*region.shape[:2], 1)
    channels = region.shape[2]
    reduction = max(1, int(abs(scale) / _SAMPLES))
    if reduction > 1:
        small = (max(region.shape[0] // reduction, 1), max(region.shape[1] // reduction, 1))
        planes = torch.from_numpy(region).permute(2, 0, 1)[None]  # (1, C, h, w)
        planes = functional.interpolate(planes, size=small, mode="area")
        region = planes[0].permute(1, 2, 0).contiguous().numpy()
    # a hair above a whole number is no reason for one more sample
    samples = min(max(math.ceil(abs(scale) / reduction - 0.02), 1), _SAMPLES + 1)
    if scale.imag == 0:
        axis = (np.arange(size * samples) + 0.5) / samples  # of the frame, in its pixels
        tall, wide = region.shape[:2]
        cubic = scale.real < 1
        x = _positions(axis * scale.real + origin.real, left, right, wide)
        y = _positions(axis * scale.real + origin.imag, top, bottom, tall)
        rows = _weights(y, tall, samples, cubic) @ torch.from_numpy(region).view(tall, -1)
        # each colour of each row as a line of its own: one product instead of `size`
        lines = rows.view(size, wide, channels).transpose(1, 2).reshape(-1, wide)
        face = lines @ _weights(x, wide, samples, cubic).T
        face = face.view(size, channels, size).transpose(1, 2)
    else:
        face = _turned(region, scale, origin, (left, right), (top, bottom), size, samples)
    return face.clamp_(0, 255).round_().to(torch.uint8).contiguous().numpy()


def _positions(at: np.ndarray, first: int, last: int, length: int) -> np.ndarray:
    """Places in a picture, as pixels of a region with `length` of them from first to last."""
    return (at - first) * length / (last - first) - 0.5


def _weights(positions: np.ndarray, length: int, samples: int, cubic: bool) -> torch.Tensor:
    """float32 (size, length): how much each pixel of a line adds to each pixel of the face.

    positions: of size * samples readings on the line. An upright square needs one such matrix for
    each axis, which is less work than reading it point by point.
    """
    low = np.floor(positions).astype(np.int64)
    share = positions - low
    parts = _cubic(share) if cubic else [(0, 1 - share), (1, share)]
    begin = np.repeat(np.arange(len(positions) // samples) * length, samples)
    places = [begin + np.clip(low + step, 0, length - 1) for step, _ in parts]
    sums = np.bincount(
        np.concatenate(places),
        np.concatenate([weight for _, weight in parts]),
        len(positions) // samples * length,
    )
    return torch.from_numpy((sums / samples).astype(np.float32).reshape(-1, length))


def _cubic(share: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Weights of the four neighbours -1 to 2 of a reading: the kernel of torch, a = -0.75."""
    a = -0.75
    weights = []
    for step in (-1, 0, 1, 2):
        far = np.abs(share - step)
        near = ((a + 2) * far - (a + 3)) * far * far + 1
        away = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
        weights.append((step, np.where(far <= 1, near, away)))
    return weights


def _turned(
    region: np.ndarray,
    scale: complex,
    origin: complex,
    across: tuple[int, int],
    down: tuple[int, int],
    size: int,
    samples: int,
) -> torch.Tensor:
    """float32 (size, size, C) of a square that stands at an angle.

    across, down: from where to where in the picture the region reaches.
    """
    axis = (np.arange(size * samples) + 0.5) / samples  # of the frame, in its pixels
    grid = np.empty((len(axis), len(axis), 2), dtype=np.float32)  # (x, y), -1 to 1 over the region
    for place, by_row, by_column, begin, (first, last) in (
        (0, -scale.imag, scale.real, origin.real, across),
        (1, scale.real, scale.imag, origin.imag, down),
    ):
        unit = 2 / (last - first)
        rows, columns = axis * (by_row * unit), axis * (by_column * unit)
        columns += (begin - first) * unit - 1
        np.add.outer(rows, columns, out=grid[:, :, place], casting="unsafe")
    dense = functional.grid_sample(
        torch.from_numpy(region).permute(2, 0, 1)[None],  # (1, C, h, w)
        torch.from_numpy(grid)[None],
        mode="bilinear" if abs(scale) >= 1 else "bicubic",
        padding_mode="border",
        align_corners=False,
    )
    return functional.avg_pool2d(dense, samples)[0].permute(1, 2, 0)


def _span(positions: Sequence[float], margin: float, length: int) -> tuple[int, int]:
    """The part of 0..length that the positions and a margin cover, at least one pixel of it."""
    first = min(max(math.floor(min(positions) - margin), 0), length - 1)
    last = min(max(math.ceil(max(positions) + margin), first + 1), length)
    return first, last
