"""Batches of network input, augmented on the device: `training_batches`, `plain_batches`.

The set stays uint8 in memory (on the device when it fits); each epoch's order and draws come from
the run's seed and the epoch's number alone, so a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from fer_core.data.augment import augment
from fer_core.data.balance import balanced_order
from fer_core.data.faces import Faces
from fer_core.data.policies import AugmentPolicy
from fer_core.data.preprocess import Preprocessing
from fer_core.data.views import Views

#: Sets up to this many bytes are moved to the GPU whole.
_RESIDENT_BYTES = 8 * 2**30


@dataclass(frozen=True)
class Batch:
    """images: float32 (B, C, S, S), normalised; labels: int64 (B,); targets: what is to be learned,
    the labels or float32 (B, classes)."""

    images: torch.Tensor
    labels: torch.Tensor
    targets: torch.Tensor


class FaceTensor:
    """One part of a set, ready to be drawn from: images uint8 (N, H, W, C), labels int64 (N,).

    Other views of the images, where there are any, stand behind them in `images`.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        device: torch.device,
        targets: np.ndarray | None = None,
        views: Views | None = None,
    ) -> None:
        """images: uint8 (N, H, W, C); labels: int64 (N,); targets: float32 (N, classes) to learn
        instead of the labels, or None; views: of these images, in their order."""
        self._first_views = None
        if views is not None:
            ends = np.searchsorted(views.rows, np.arange(len(labels) + 1))
            self._first_views = len(images) + ends  # (N + 1,): where each image's begin
            images = np.concatenate([images, views.images])
        self.labels = torch.from_numpy(np.ascontiguousarray(labels)).to(device)
        self.targets = self.labels if targets is None else torch.from_numpy(targets).to(device)
        images = torch.from_numpy(np.ascontiguousarray(images))
        resident = device.type == "cuda" and images.nbytes <= _RESIDENT_BYTES
        self.images = images.to(device) if resident else images
        self.device = device

    @classmethod
    def of(cls, faces: Faces, indices: np.ndarray, device: torch.device) -> FaceTensor:
        """The part of a set at `indices` (int (N,)), in that order."""
        return cls(faces.images[indices], faces.labels[indices], device)

    def __len__(self) -> int:
        return len(self.labels)

    def drawn_views(
        self, positions: np.ndarray, share: float, random: np.random.Generator
    ) -> np.ndarray:
        """int (M,), a row of `images` for each position: the image's own, or, in `share` of the
        cases where it has other views, one of these."""
        if self._first_views is None or not share:
            return positions
        first, last = self._first_views[positions], self._first_views[positions + 1]
        view = first + (random.random(len(positions)) * (last - first)).astype(np.int64)
        other = (random.random(len(positions)) < share) & (last > first)
        return np.where(other, view, positions)

    def take(
        self, positions: torch.Tensor, rows: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images uint8 (B, H, W, C), labels int64 (B,) and targets at `positions`, on the device.

        rows: int64 (B,), see `drawn_views`.
        """
        chosen = (positions if rows is None else rows).to(self.images.device)
        images = self.images[chosen].to(self.device, non_blocking=True)
        places = positions.to(self.device)
        return images, self.labels[places], self.targets[places]


@dataclass(frozen=True)
class EpochDraw:
    """What one epoch shows, in its order. positions: int64 (N,) of a part; rows: int64 (N,) of its
    `images`, see `FaceTensor.drawn_views`; both where these lie. seed: of the augmentation."""

    positions: torch.Tensor
    rows: torch.Tensor
    seed: int

    def batches(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Positions and rows of each batch, int64 (B,); a last batch of one image is dropped.

        (Batch normalisation cannot learn from a single image.)
        """
        for start in range(0, len(self.positions), size):
            chosen = self.positions[start : start + size]
            if len(chosen) < 2:
                return
            yield chosen, self.rows[start : start + size]


def draw_epoch(
    part: FaceTensor, seed: int, epoch: int, balanced: bool = False, views_share: float = 0.0
) -> EpochDraw:
    """A random order of the part. views_share: of the images, how many give way to another view of
    theirs."""
    random = np.random.default_rng((seed, epoch))
    if balanced:
        order = balanced_order(part.labels.cpu().numpy(), random)
    else:
        order = random.permutation(len(part))
    augmentation = int(random.integers(2**62))
    drawn = part.drawn_views(order, views_share, random)
    # moved once: a copy for each batch would wait for all that the device still has to do
    positions, rows = (torch.from_numpy(of).to(part.images.device) for of in (order, drawn))
    return EpochDraw(positions, rows, augmentation)


def training_batch(
    part: FaceTensor,
    positions: torch.Tensor,
    rows: torch.Tensor,
    preprocessing: Preprocessing,
    policy: AugmentPolicy,
    generator: torch.Generator,
) -> Batch:
    """The images of a batch that an epoch drew, augmented."""
    images, labels, targets = part.take(positions, rows)
    unit = augment(preprocessing.to_unit(images), policy, generator)
    return Batch(preprocessing.normalise(unit), labels, targets)


def training_batches(
    part: FaceTensor,
    preprocessing: Preprocessing,
    policy: AugmentPolicy,
    batch_size: int,
    seed: int,
    epoch: int,
    balanced: bool = False,
    views_share: float = 0.0,
) -> Iterator[Batch]:
    """One epoch in random order, augmented: `draw_epoch` and `training_batch`."""
    draw = draw_epoch(part, seed, epoch, balanced, views_share)
    generator = torch.Generator(device=part.device).manual_seed(draw.seed)
    for positions, rows in draw.batches(batch_size):
        yield training_batch(part, positions, rows, preprocessing, policy, generator)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches `training_batches` yields."""
    full, rest = divmod(images, batch_size)
    return full + (rest >= 2)


def scoring_batch(image_size: int, most: int = 512) -> int:
    """How many images go through a network at once where it only answers.

    `most` up to 48 pixels, fewer in proportion to the pixels of larger ones, at least 8.
    """
    return max(8, min(most, most * 48**2 // image_size**2))


def plain_batches(
    part: FaceTensor, preprocessing: Preprocessing, batch_size: int
) -> Iterator[Batch]:
    """All images in stored order, not augmented."""
    for start in range(0, len(part), batch_size):
        positions = torch.arange(start, min(start + batch_size, len(part)))
        images, labels, targets = part.take(positions)
        yield Batch(preprocessing(images), labels, targets)
