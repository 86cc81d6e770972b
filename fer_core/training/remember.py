"""Give a finished network a memory of its training faces (`recall_fit`), and score it with it."""

from __future__ import annotations

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

from fer_core.data.faces import DataError, Faces
from fer_core.models.recall import Recall
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import (
    Checkpoint,
    load_checkpoint,
    save_weights,
)
from fer_core.runs.record import write_json
from fer_core.runs.weights_header import (
    CheckpointError,
    learned_header,
    learned_weights,
    read_header,
)
from fer_core.training.calibration import FEWEST_IMAGES
from fer_core.training.dataset import views_of
from fer_core.training.metrics import score
from fer_core.training.recalibrate import OwnSet, own_set, recalibrate
from fer_core.training.recall_fit import choose_shares, face_features, fit_recall

#: What is kept of a face, and of how many numbers, unless said otherwise: on FER2013 this much
#: answers as well as the numbers themselves.
CODES, NUMBERS = 16, 64


def remember(
    folder: RunFolder,
    faces: Faces,
    note: str = "",
    half: bool = False,
    codes: int = CODES,
    numbers: int = NUMBERS,
    progress: Callable[[int, int], None] = lambda done, total: None,
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
    own = own_set(folder, faces, "what it remembers are its own training faces", memory=False)
    checkpoint, record, seen, split = own.checkpoint, own.record, own.faces, own.split
    _check_memory(own, codes, numbers)
    train = split.train
    other = views_of(views, seen, train) if views else None
    more = len(other) if other else 0
    total = len(train) + more + len(split.validation) + len(split.test)
    done = 0

    def features(images: np.ndarray, both: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal done
        before = done
        done += len(images)
        return face_features(
            checkpoint.model,
            checkpoint.preprocessing,
            images,
            torch.device("cpu"),
            both,
            on_images=lambda count: progress(before + count, total),
        )

    known, _ = features(seen.images[train], both=True)
    if other:
        shown, _ = features(other.images, both=True)
        known = _mean_with(known, shown, torch.from_numpy(other.rows))
    classes = len(checkpoint.class_names)
    recall = fit_recall(known, seen.labels[train], classes, codes, numbers)
    parts = {"validation": split.validation, "test": split.test}
    found = {part: features(seen.images[rows]) for part, rows in parts.items() if len(rows)}
    chosen = choose_shares(recall, *found["validation"], seen.labels[split.validation])
    without = {
        part: score(scores.softmax(dim=1).numpy(), seen.labels[parts[part]])
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


def _check_memory(own: OwnSet, codes: int, numbers: int) -> None:
    """Raises what `remember` says of the network, of the size and of the validation part."""
    checkpoint, validation = own.checkpoint, len(own.split.validation)
    if not hasattr(checkpoint.model, "recall"):
        raise CheckpointError(
            f"{checkpoint.folder.name} is a {checkpoint.model_name}, which cannot have a memory; "
            "name a run of expressnet or expressnet_demo"
        )
    if not 1 <= codes <= 256 or numbers < codes or numbers % codes:
        raise CheckpointError(
            f"a memory keeps 1 to 256 bytes of a face for a multiple of as many numbers, got "
            f"{codes} and {numbers}; try {CODES} and {NUMBERS}"
        )
    if validation < FEWEST_IMAGES:
        raise DataError(
            f"how much to recall is chosen on at least {FEWEST_IMAGES} validation images, got "
            f"{validation}"
        )


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


def _mean_with(known: torch.Tensor, shown: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The mean of each row of `known` (N, C) and those of `shown` (V, C) that belong to it."""
    count = torch.bincount(rows, minlength=len(known))[:, None] + 1
    return known.index_add(0, rows, shown) / count


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
