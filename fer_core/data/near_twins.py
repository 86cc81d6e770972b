"""Nearly the same picture twice: for every image, the image of another part that is most like it.

Pixel-identical twins (`twins.py`) are a part of the leak only: the same photograph stands in a set
with another crop, size or compression as well. Likeness is the correlation of the grey values of
two pictures at SIDE × SIDE pixels, the better of upright and mirrored. It knows nothing of any
model, so that the same pairs are near twins for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from fer_core.data.faces import Faces
from fer_core.data.split import Split
from fer_core.data.tones import LUMA

#: Pictures are compared at this side; at half of it strangers look alike, at twice a shift by a
#: pixel counts for much.
SIDE = 24
#: From this likeness on two pictures are near twins. On FER2013's PublicTest the label of the most
#: alike training image is right for 69 % of the faces at 0.90 to 0.93 and for 84 % and more above
#: that, for 27 to 31 % of those below 0.8 (results/near_twins.md has the same of PrivateTest).
NEAR = 0.9
#: The parts whose images are looked for in training.
PARTS = ("test", "validation")
_BLOCK = 1024


@dataclass(frozen=True)
class MostAlike:
    """likeness: float32 (N,) from -1 to 1. row: int64 (N,), the place in the other part, -1 where
    that part is empty."""

    likeness: np.ndarray
    row: np.ndarray

    @property
    def near(self) -> np.ndarray:
        """bool (N,): which images have a near twin."""
        return self.likeness >= NEAR


def most_alike(
    images: np.ndarray,
    others: np.ndarray,
    progress: Callable[[int, int], None] | None = None,
) -> MostAlike:
    """For each of uint8 images (N, H, W, 1 or 3) the most alike of `others` (M, H', W', 1 or 3).

    A picture of a single grey value is like none (0). progress(done, total): of `others`.
    """
    best = torch.full((len(images),), -1.0)
    row = torch.full((len(images),), -1, dtype=torch.int64)
    straight = [_outline(images[at : at + _BLOCK]) for at in range(0, len(images), _BLOCK)]
    turned = [_outline(images[at : at + _BLOCK, :, ::-1]) for at in range(0, len(images), _BLOCK)]
    for start in range(0, len(others), _BLOCK):
        known = _outline(others[start : start + _BLOCK]).T  # (SIDE², block)
        for number, views in enumerate(zip(straight, turned, strict=True)):
            here = slice(number * _BLOCK, number * _BLOCK + len(views[0]))
            for view in views:
                found, place = (view @ known).max(dim=1)
                better = found > best[here]
                best[here] = torch.where(better, found, best[here])
                row[here] = torch.where(better, place + start, row[here])
        if progress is not None:
            progress(min(start + _BLOCK, len(others)), len(others))
    return MostAlike(best.clamp(-1, 1).numpy(), row.numpy())


def alike_in_training(
    faces: Faces,
    split: Split,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, MostAlike]:
    """For each of PARTS that has images: the most alike training image of each, in the order of
    that part's rows. `row` is a place in `split.train`. progress(part, done, total)."""
    found = {}
    for part in PARTS:
        rows = getattr(split, part)
        if len(rows) and len(split.train):
            told = partial(progress, part) if progress is not None else None
            found[part] = most_alike(faces.images[rows], faces.images[split.train], told)
    return found


def _outline(images: np.ndarray) -> torch.Tensor:
    """float32 (N, SIDE²): grey values of the reduced pictures, mean 0 and length 1."""
    pictures = torch.from_numpy(np.ascontiguousarray(images)).float().permute(0, 3, 1, 2)
    if pictures.shape[1] == 3:
        pictures = (pictures * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    small = functional.adaptive_avg_pool2d(pictures, SIDE).flatten(1)
    small = small - small.mean(dim=1, keepdim=True)
    # one level of noise on a flat picture would otherwise look like a face
    lengths = small.norm(dim=1, keepdim=True)
    return torch.where(lengths > SIDE / 2, small / lengths.clamp_min(1e-6), 0 * small)
