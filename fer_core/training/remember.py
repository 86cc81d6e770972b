"""Give a finished network a memory of its training faces, and score it anew with it.

A face is described by its features (mean of the face's, of its mirror image's and, where they are
given, of its other views' and theirs) along their strongest directions, each scaled to about the
same spread, at length 1. What is kept of that are a few bytes, each naming one of the 256 patterns
that its part of the numbers comes in. How much the memory counts, and how alike a face must be to
count, is chosen on the validation part.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from sklearn.cluster import KMeans

from fer_core.data.faces import DataError, Faces
from fer_core.data.split import split_faces
from fer_core.models.recall import PATTERNS, Recall
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import (
    Checkpoint,
    CheckpointError,
    learned_header,
    learned_weights,
    load_checkpoint,
    read_header,
    save_weights,
)
from fer_core.runs.record import RunError, read_record, write_json
from fer_core.training.calibration import FEWEST_IMAGES
from fer_core.training.dataset import as_run_faces, split_plan, used_share, views_of
from fer_core.training.evaluation import run_config
from fer_core.training.metrics import score
from fer_core.training.recalibrate import recalibrate

#: What is tried on the validation part for the numbers of these names in `Recall`.
WIDTHS = (0.03, 0.04, 0.05, 0.06)
LEAST = (0.0, 0.1, 0.2, 0.3)
MOST = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ALIKE = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
#: Of the mean spread of the directions, added to each: weak ones are not blown up to full length.
_FLOOR = 0.1
_BATCH = 256
#: What is kept of a face, and of how many numbers, unless said otherwise: on FER2013 this much
#: answers as well as the numbers themselves.
CODES, NUMBERS = 16, 64
_ROUNDS = 30  # of looking for the patterns

Progress = Callable[[int, int], None]


def remember(
    folder: RunFolder,
    faces: Faces,
    note: str = "",
    half: bool = False,
    codes: int = CODES,
    numbers: int = NUMBERS,
    progress: Progress = lambda done, total: None,
    views: str = "",
) -> dict[str, Any]:
    """Put a memory of the training part into the folder's weights; temperature, record and card
    are made anew. One that is there already is replaced.

    faces, note, half: as in `recalibrate`. codes: bytes kept of each face, 1 to 256; numbers: of
    its description, a multiple of codes. views: a file of other views (data.views), which then
    count like the face itself, "" for none. Returns the record, whose model.memory has faces,
    views, codes, numbers, width, least, most, alike and, under without, the scores on validation
    and test that the network has by itself. CheckpointError for a network that cannot have a memory
    or not one of this size, RunError and DataError as in `recalibrate`.
    """
    checkpoint, record = load_checkpoint(folder.path, memory=False), read_record(folder)
    config = run_config(checkpoint)
    if record is None or config is None:
        raise RunError(f"{folder.path} has no record or no configuration; name a finished run")
    if not hasattr(checkpoint.model, "recall"):
        raise CheckpointError(
            f"{folder.name} is a {checkpoint.model_name}, which cannot have a memory; "
            "name a run of expressnet or expressnet_demo"
        )
    seen = as_run_faces(faces, config, checkpoint.class_names)
    if not 1 <= codes <= 256 or numbers < codes or numbers % codes:
        raise CheckpointError(
            f"a memory keeps 1 to 256 bytes of a face for a multiple of as many numbers, got "
            f"{codes} and {numbers}; try {CODES} and {NUMBERS}"
        )
    if record["data"]["fingerprint"] != seen.fingerprint:
        raise DataError(
            f"{folder.name} learned from {record['data']['name']}, got {faces.name}, which has "
            "another fingerprint; what it remembers are its own training faces"
        )
    split = split_faces(seen, split_plan(config))
    train = used_share(seen, split.train, config)
    if len(split.validation) < FEWEST_IMAGES:
        raise DataError(
            f"how much to recall is chosen on at least {FEWEST_IMAGES} validation images, got "
            f"{len(split.validation)}"
        )
    other = views_of(views, seen, train) if views else None
    more = len(other) if other else 0
    total = len(train) + more + len(split.validation) + len(split.test)
    known, _ = _features(checkpoint, seen.images[train], 0, total, progress, both=True)
    if other:
        shown = _features(checkpoint, other.images, len(train), total, progress, both=True)[0]
        known = _mean_with(known, shown, torch.from_numpy(other.rows))
    classes = len(checkpoint.class_names)
    recall = _fitted(known, seen.labels[train], classes, codes, numbers)
    found, done = {}, len(train) + more
    for part in ("validation", "test"):
        rows = getattr(split, part)
        if len(rows):
            found[part] = _features(checkpoint, seen.images[rows], done, total, progress)
            done += len(rows)
    labels = seen.labels[split.validation]
    chosen = _choose(recall, *found["validation"], labels)
    without = {
        part: score(scores.softmax(dim=1).numpy(), seen.labels[getattr(split, part)])
        for part, (_, scores) in found.items()
    }
    with _copied(folder) as work:
        _keep(work, checkpoint, recall)
        stored = load_checkpoint(work.path)
        record["model"] |= {
            "parameters": stored.parameters,
            "gflops": stored.gflops,
            "memory": {
                "faces": len(train),
                "views": more,
                "codes": codes,
                "numbers": numbers,
                **chosen,
                "without": without,
            },
        }
        write_json(work.record, record)
        return recalibrate(work, faces, note, half)


@contextmanager
def _copied(folder: RunFolder) -> Iterator[RunFolder]:
    """A copy to work on, whose files take the place of the folder's at the end: what is broken off
    before leaves no old scores beside a new memory."""
    with tempfile.TemporaryDirectory(prefix=".remember-", dir=folder.path) as place:
        work = RunFolder(Path(place) / folder.name)
        work.path.mkdir()
        for file in folder.path.iterdir():
            if file.is_file():
                shutil.copy2(file, work.path / file.name)
        yield work
        for file in work.path.iterdir():
            os.replace(file, folder.path / file.name)


@torch.inference_mode()
def _features(
    checkpoint: Checkpoint,
    images: np.ndarray,
    done: int,
    total: int,
    progress: Progress,
    both: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 (N, C) features and (N, classes) scores of uint8 images (N, H, W, C).

    both: the mean over each image and its mirror image.
    """
    network = checkpoint.model
    features, scores = [], []
    for start in range(0, len(images), _BATCH):
        pixels = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH]))
        views = [checkpoint.preprocessing(pixels)]
        if both:
            views.append(views[0].flip(-1))
        seen = [network.features(view) for view in views]
        features.append(torch.stack(seen).mean(dim=0))
        scores.append(torch.stack([network.classifier(one) for one in seen]).mean(dim=0))
        progress(done + start + len(pixels), total)
    return torch.cat(features), torch.cat(scores)


def _mean_with(known: torch.Tensor, shown: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The mean of each row of `known` (N, C) and those of `shown` (V, C) that belong to it."""
    count = torch.bincount(rows, minlength=len(known))[:, None] + 1
    return known.index_add(0, rows, shown) / count


def _fitted(
    features: torch.Tensor, labels: np.ndarray, classes: int, codes: int, numbers: int
) -> Recall:
    """A memory of these faces; its share of an answer is 0 still. features: float32 (N, C)."""
    recall = Recall(len(features), features.shape[1], classes, codes, numbers)
    centre = features.mean(dim=0)
    _, spread, directions = torch.linalg.svd(features - centre, full_matrices=False)
    scaled = directions.T / (spread + _FLOOR * spread.mean()).clamp_min(1e-12)
    strongest = torch.zeros(features.shape[1], numbers)  # fewer directions leave the rest at 0
    size = min(numbers, len(spread))
    strongest[:, :size] = scaled[:, :size]
    recall.centre.copy_(centre)
    recall.directions.copy_(strongest @ _turned(numbers))
    order = np.argsort(labels, kind="stable")
    recall.faces_per_class.copy_(torch.from_numpy(np.bincount(labels, minlength=classes)))
    known = features[order]
    described = recall.describe(known).unflatten(1, recall.patterns.shape[::2])
    for place in range(codes):
        recall.patterns[place] = _patterns(described[:, place].numpy())
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
def _choose(
    recall: Recall, features: torch.Tensor, scores: torch.Tensor, labels: np.ndarray
) -> dict[str, float]:
    """Set width, least, most and alike to what makes the labels most probable; returns them."""
    own = scores.softmax(dim=1)
    truth = torch.from_numpy(np.array(labels))[:, None]
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


def _set(recall: Recall, **values: float) -> None:
    for name, value in values.items():
        getattr(recall, name).fill_(value)


def _keep(folder: RunFolder, checkpoint: Checkpoint, recall: Recall) -> None:
    """The learned weights beside the memory, in one file."""
    options = learned_header(read_header(folder.weights))["model_options"]
    state = learned_weights(load_file(folder.weights))
    state |= {f"recall.{name}": value for name, value in recall.state_dict().items()}
    save_weights(
        folder.weights,
        state,
        model_name=checkpoint.model_name,
        model_options={
            **options,
            "remembered": len(recall.codes),
            "remembered_codes": recall.codes.shape[1],
            "remembered_numbers": recall.directions.shape[1],
        },
        preprocessing=checkpoint.preprocessing,
        class_names=checkpoint.class_names,
        temperature=checkpoint.temperature,
    )
