"""Checkpoints and the package `fer` from PyPI on the very same faces of a set's test part."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.data.faces import DataError, Faces
from fer_core.data.tones import LUMA
from fer_core.data.twins import has_twin_in
from fer_core.labels import map_classes
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint
from fer_core.training.evaluation import part_of, run_config

_PATIENCE = 1800  # seconds
_WORKER = Path(__file__).with_name("fer_classifier.py")


class PeerError(ValueError):
    """Another system that cannot be asked; the message says why."""


@dataclass(frozen=True)
class Peer:
    """A measured system: its probabilities float (N, classes) of the shared faces, in the set's
    order of classes. parameters, gflops: None where they are not known. size: bytes on disk."""

    name: str
    probabilities: np.ndarray
    own: bool
    parameters: int | None = None
    gflops: float | None = None
    size: int | None = None


@dataclass(frozen=True)
class SharedFaces:
    """What all are scored on: images uint8 (N, H, W, C), labels int64 (N,), has_twin bool (N,): a
    pixel-identical image stands in the training part. drawn: the part is not the set's own."""

    images: np.ndarray
    labels: np.ndarray
    has_twin: np.ndarray
    class_names: tuple[str, ...]
    name: str
    drawn: bool = False


def shared_faces(
    faces: Faces, checkpoints: Sequence[Checkpoint], part: str = "test"
) -> SharedFaces:
    """The part that every one of the checkpoints left untouched; DataError if they differ in it or
    in what they trained on, PeerError without checkpoints."""
    if not checkpoints:
        raise PeerError("there is no checkpoint to compare; name at least one")
    parts = [
        part_of(faces, run_config(checkpoint), checkpoint.class_names, part)
        for checkpoint in checkpoints
    ]
    test, train, _ = parts[0]
    for checkpoint, (other, learned, _) in zip(checkpoints, parts, strict=True):
        if not (np.array_equal(other, test) and np.array_equal(learned, train)):
            raise DataError(
                f"{checkpoint.folder.name} trained or was tested on other images of {faces.name} "
                f"than {checkpoints[0].folder.name}; compare those of one split"
            )
    images, own = np.asarray(faces.images[test]), faces.source_split
    return SharedFaces(
        images,
        np.asarray(faces.labels[test]),
        has_twin_in(images, faces.images[train]),
        faces.class_names,
        faces.name,
        drawn=own is None or bool(np.any(own[test] != part)),
    )


def own_peer(
    checkpoint: Checkpoint,
    faces: SharedFaces,
    progress: Callable[[int, int], None] | None = None,
) -> Peer:
    """A checkpoint as it is."""
    columns = _columns(checkpoint.class_names, faces, checkpoint.folder.name)
    found = checkpoint.probabilities(faces.images, progress=progress)[:, columns]
    size = RunFolder(checkpoint.folder).weights.stat().st_size
    name = checkpoint.folder.name
    return Peer(name, found, True, checkpoint.parameters, checkpoint.gflops, size)


def own_peers(
    checkpoint: Checkpoint,
    faces: SharedFaces,
    progress: Callable[[int, int], None] | None = None,
) -> list[Peer]:
    """A checkpoint as it is, and as the mean over each image and its mirror image."""
    columns = _columns(checkpoint.class_names, faces, checkpoint.folder.name)
    size = RunFolder(checkpoint.folder).weights.stat().st_size
    name, flops = checkpoint.folder.name, checkpoint.gflops
    both = np.concatenate([faces.images, faces.images[:, :, ::-1]])
    straight, turned = np.split(checkpoint.probabilities(both, progress=progress), 2)
    return [
        Peer(name, straight[:, columns], True, checkpoint.parameters, flops, size),
        Peer(
            f"{name}, with the mirror image",
            (straight[:, columns] + turned[:, columns]) / 2,
            True,
            checkpoint.parameters,
            2 * flops,
            size,
        ),
    ]


def fer_peer(python: str, faces: SharedFaces) -> Peer:
    """`fer`'s own network as its package loads it by default, in the Python named.

    PeerError when that Python has no `fer` or its answers are none.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, answers = Path(folder) / "faces.npy", Path(folder) / "answers.npz"
        np.save(given, _grey(faces.images))
        call = [python, str(_WORKER), str(given), str(answers)]
        try:
            done = subprocess.run(
                call, capture_output=True, text=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired as error:
            raise PeerError(f"fer did not answer within {_PATIENCE} s; use fewer faces") from error
        except OSError as error:
            raise PeerError(f"{python} cannot be started: {error.strerror or error}") from error
        if done.returncode or not answers.is_file():
            said = done.stderr.strip().splitlines()
            raise PeerError(
                f"fer cannot be asked with {python}: {said[-1] if said else 'it ended'}; "
                "give a Python where `import fer.fer` works"
            )
        with np.load(answers) as found:
            probabilities, version = found["probabilities"], str(found["version"])
            labels = tuple(str(label) for label in found["labels"])
    name = f"fer {version} from PyPI"
    return Peer(name, probabilities[:, _columns(labels, faces, name)], False)


def _grey(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C) → (N, H, W), by the weights with which that package makes grey."""
    if images.shape[3] == 1:
        return images[..., 0]
    return (images @ np.array(LUMA)).round().clip(0, 255).astype(np.uint8)


def _columns(classes: Sequence[str], faces: SharedFaces, name: str) -> list[int]:
    """For each class of the set its place in `classes`."""
    places = map_classes(faces.class_names, classes)
    lacking = [one for one, place in zip(faces.class_names, places, strict=True) if place is None]
    if lacking:
        raise PeerError(f"{name} has no class {', '.join(lacking)}, which {faces.name} has")
    return [place for place in places if place is not None]
