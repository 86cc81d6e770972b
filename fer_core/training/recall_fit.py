"""Fit a memory of training faces to a trained network: `face_features`, `fit_recall`,
`choose_shares`, `answers_with`.

A face is described by its features (mean of the face's, of its mirror image's and, where they are
given, of its other views' and theirs) along their strongest directions, each scaled to about the
same spread, at length 1. What is kept of that are a few bytes, each naming one of the 256 patterns
that its part of the numbers comes in. How much the memory counts, and how alike a face must be to
count, is chosen on the validation part.

It runs where the network is, but for the search for patterns, which is scikit-learn's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn

from fer_core.data.preprocess import Preprocessing
from fer_core.models.recall import PATTERNS, Recall

#: What is tried on the validation part for the numbers of these names in `Recall`.
WIDTHS = (0.03, 0.04, 0.05, 0.06)
LEAST = (0.0, 0.1, 0.2, 0.3)
MOST = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ALIKE = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
#: Of the mean spread of the directions, added to each: weak ones are not blown up to full length.
_FLOOR = 0.1
_BATCH = 256
_ROUNDS = 30  # of looking for the patterns


@torch.inference_mode()
def face_features(
    network: nn.Module,
    preprocessing: Preprocessing,
    images: np.ndarray,
    device: torch.device,
    both: bool = False,
    on_images: Callable[[int], None] = lambda done: None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 (N, C) features and (N, classes) scores of uint8 images (N, H, W, C).

    network: in evaluation mode, on the device, with `features` and `classifier`. both: the mean
    over each image and its mirror image. on_images: told how many are done.
    """
    features, scores = [], []
    for start in range(0, len(images), _BATCH):
        pixels = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH])).to(device)
        views = [preprocessing(pixels)]
        if both:
            views.append(views[0].flip(-1))
        seen = [network.features(view) for view in views]
        features.append(torch.stack(seen).mean(dim=0))
        scores.append(torch.stack([network.classifier(one) for one in seen]).mean(dim=0))
        on_images(start + len(pixels))
    return torch.cat(features), torch.cat(scores)


def fit_recall(
    features: torch.Tensor, labels: np.ndarray, classes: int, codes: int, numbers: int
) -> Recall:
    """A memory of these faces; its share of an answer is 0 still.

    features: float32 (N, C); labels: int (N,); codes, numbers: see `Recall`.
    """
    recall = Recall(len(features), features.shape[1], classes, codes, numbers).to(features.device)
    centre = features.mean(dim=0)
    _, spread, directions = torch.linalg.svd(features - centre, full_matrices=False)
    scaled = directions.T / (spread + _FLOOR * spread.mean()).clamp_min(1e-12)
    strongest = features.new_zeros(features.shape[1], numbers)  # fewer directions leave 0 behind
    size = min(numbers, len(spread))
    strongest[:, :size] = scaled[:, :size]
    recall.centre.copy_(centre)
    recall.directions.copy_(strongest @ _turned(numbers).to(features.device))
    order = np.argsort(labels, kind="stable")
    recall.faces_per_class.copy_(torch.from_numpy(np.bincount(labels, minlength=classes)))
    known = features[torch.from_numpy(order).to(features.device)]
    described = recall.describe(known).unflatten(1, recall.patterns.shape[::2])
    for place in range(codes):
        recall.patterns[place] = _patterns(described[:, place].cpu().numpy())
    recall.codes.copy_(torch.cat([recall.encode(part) for part in known.split(_BATCH)]))
    recall.settle()
    return recall.eval()


def _turned(numbers: int) -> torch.Tensor:
    """float32 (numbers, numbers), a random turn: it gives each byte as much to say as the others,
    where the first would have the strongest directions and the last next to nothing."""
    drawn = torch.randn(numbers, numbers, generator=torch.Generator().manual_seed(0))
    return torch.linalg.qr(drawn)[0]


def _patterns(parts: np.ndarray) -> torch.Tensor:
    """float32 (N, n) → (PATTERNS, n), what they come in; where they are fewer, the last again."""
    different = min(PATTERNS, len(np.unique(parts, axis=0)))
    fitted = KMeans(different, n_init=1, max_iter=_ROUNDS, random_state=0).fit(parts)
    found = np.float32(fitted.cluster_centers_)
    return torch.from_numpy(np.pad(found, ((0, PATTERNS - different), (0, 0)), mode="edge"))


@torch.inference_mode()
def choose_shares(
    recall: Recall, features: torch.Tensor, scores: torch.Tensor, labels: np.ndarray
) -> dict[str, float]:
    """Set width, least, most and alike to what makes the labels most probable; returns them.

    features: float32 (N, C); scores: float32 (N, classes); labels: int (N,), of the same images.
    """
    own = scores.softmax(dim=1)
    truth = torch.from_numpy(np.array(labels)).to(scores.device)[:, None]
    own_truth = own.gather(1, truth)
    found: dict[str, float] = {}
    lowest = float("inf")
    for width in WIDTHS:
        recall.width.fill_(width)
        parts = [recall.recalled(part) for part in features.split(_BATCH)]
        recalled = torch.cat([answers for answers, _ in parts]).gather(1, truth)
        nearest = torch.cat([likeness for _, likeness in parts])
        for least, most, alike in itertools.product(LEAST, MOST, ALIKE):
            if least > most:
                continue
            _set(recall, least=least, most=most, alike=alike)
            right = own_truth + recall.share(nearest) * (recalled - own_truth)
            loss = -float(right.clamp_min(1e-7).log().mean())
            if loss < lowest:
                lowest = loss
                found = {"width": width, "least": least, "most": most, "alike": alike}
    _set(recall, **found)
    return found


@torch.inference_mode()
def answers_with(recall: Recall, features: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """float32 (N, classes) log-probabilities of the network together with its memory, from features
    (N, C) and scores (N, classes)."""
    parts = zip(scores.split(_BATCH), features.split(_BATCH), strict=True)
    return torch.cat([recall(said, seen) for said, seen in parts])


def _set(recall: Recall, **values: float) -> None:
    for name, value in values.items():
        getattr(recall, name).fill_(value)
