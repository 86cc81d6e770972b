"""What a checkpoint has learned from, its predecessors included where it was fine-tuned.

Read from the run folders; what cannot be read any more is not known, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fer_core.data.faces import DataError, Faces
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder, checkpoint_folder, is_path
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import read_data_facts, read_json, read_record
from fer_core.training.dataset import as_run_faces
from fer_core.training.evaluation import run_config

#: How far back "started from" is followed.
_GENERATIONS = 5


def lineage(checkpoint: Checkpoint) -> list[tuple[RunConfig, str]]:
    """(configuration, fingerprint of the data) of the checkpoint's run and those it started from.

    The newest first. What cannot be read any more ends the list.
    """
    found, folder = [], checkpoint.folder
    for _ in range(_GENERATIONS):
        place = RunFolder(Path(folder))
        values = read_json(place.config)
        if values is None:
            break
        try:
            config = RunConfig.from_dict(values)
        except ConfigError:
            break
        data = (read_record(place) or {}).get("data") or read_data_facts(place)
        found.append((config, str(data.get("fingerprint") or "")))
        if not config.start_from:
            break
        folder = checkpoint_folder(config.start_from)
    return found


def learned_from(checkpoint: Checkpoint, faces: Faces) -> RunConfig | None:
    """The newest run of the checkpoint's lineage that used this very set, or None."""
    return next(runs_on(checkpoint, faces), None)


def runs_on(checkpoint: Checkpoint, faces: Faces) -> Iterator[RunConfig]:
    """All runs of the checkpoint's lineage that used this very set, the newest first."""
    for config, fingerprint in lineage(checkpoint):
        same_place = bool(faces.source) and _place(config.data) == _place(faces.source)
        known = (faces.fingerprint, _fingerprint_seen(faces, config, checkpoint))
        if same_place or (fingerprint and fingerprint in known):
            yield config


def _fingerprint_seen(faces: Faces, config: RunConfig, checkpoint: Checkpoint) -> str:
    """Of the set as a run saw it, which may have left out classes and repeats; "" where unknown."""
    try:
        return as_run_faces(faces, config, checkpoint.class_names).fingerprint
    except DataError:  # another set's classes
        return ""


def own_source(checkpoint: Checkpoint, data_folder: Path) -> str | None:
    """What reads the set that the checkpoint's first run learned from, None when it is not at hand.

    A shipped checkpoint names data/FILE; that file is looked for in `data_folder` too.
    """
    runs = lineage(checkpoint)
    if not runs:
        return None
    data = runs[-1][0].data
    if data.partition(":")[0] == "drawn":
        return data
    for path in (Path(data_folder) / Path(data).name, Path(data).expanduser()):
        if path.exists():
            return str(path)
    return None


def first_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint at the beginning of the lineage, which learned from its own domain alone.

    A shipped one is such a beginning, whatever earlier stages it had: they are not shipped.
    """
    shipped, seen = SHIPPED_CHECKPOINTS.resolve(), set()
    while (config := run_config(checkpoint)) is not None and config.start_from:
        if checkpoint.folder.resolve().parent == shipped:
            return checkpoint
        seen.add(checkpoint.folder.resolve())
        if Path(config.start_from).resolve() in seen:
            raise DataError(
                f"{checkpoint.folder.name} started from {config.start_from}, a folder of which a "
                "later run has taken the name; the first checkpoint is gone"
            )
        try:
            checkpoint = load_checkpoint(Path(config.start_from))
        except CheckpointError as error:
            raise DataError(f"the checkpoint that it started from is gone: {error}") from error
    return checkpoint


def _place(source: str) -> str:
    return str(Path(source).expanduser().resolve()) if is_path(source) else source
