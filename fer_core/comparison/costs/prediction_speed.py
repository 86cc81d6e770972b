"""How long a photograph takes from pixels to probabilities, ours beside the usual ways.

All ways take turns on the same pictures, so that a busy moment hits all of them, and what counts
is the ratio within a round. Processor time stands beside the clock's, for machines that do more.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fer_core.comparison.costs.prediction_scenes import Scene
from fer_core.inference.align import align_face
from fer_core.inference.detect import FaceBox, FaceDetector, packaged_mtcnn
from fer_core.inference.predictor import Predictor
from fer_core.runs.checkpoint import Checkpoint

OURS = "this project"
MTCNN = "facenet-pytorch's MTCNN at its default settings, the same network"
FER = "`fer` from PyPI with its own detector"
#: Rounds of which none counts: the first passes build and fill caches.
WARM_UP = 3
_WORKER = Path(__file__).with_name("fer_worker.py")


class SpeedError(RuntimeError):
    """A way that cannot be timed. The message says which and what to do."""


@dataclass(frozen=True)
class Pass:
    """One picture's way: milliseconds by the clock and of the processor (all threads), and the
    boxes that were found, (N, 4)."""

    wall_ms: float
    processor_ms: float
    boxes: np.ndarray


#: way(scene) → how it went
Way = Callable[[Scene], Pass]


@dataclass(frozen=True)
class Speed:
    """One way on one scene. wall_ms, processor_ms: lower quartile, median, upper quartile.
    wall_ratio, processor_ratio: median over the rounds of its time by ours. found: of `faces`."""

    way: str
    scene: str
    wall_ms: tuple[float, float, float]
    processor_ms: tuple[float, float, float]
    wall_ratio: float
    processor_ratio: float
    found: int
    faces: int
    rounds: int


def time_ways(
    ways: Mapping[str, Way],
    pictures: Sequence[Scene],
    rounds: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Speed]:
    """Every way on every scene once per round, each round beginning with another way.

    ways: must hold OURS. ValueError for fewer than one round, SpeedError when a way misses a face:
    what found fewer faces did less work.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}; try 30")
    passes: dict[tuple[str, str], list[Pass]] = {}
    names = list(ways)
    for number in range(-WARM_UP, rounds):
        turn = number % len(names)
        for scene in pictures:
            for name in names[turn:] + names[:turn]:
                went = ways[name](scene)
                if number >= 0:
                    passes.setdefault((name, scene.name), []).append(went)
        if progress is not None:
            progress(number + WARM_UP + 1, rounds + WARM_UP)
    speeds = []
    for scene in pictures:
        for name in names:
            speeds.append(_speed(name, scene, passes[name, scene.name], passes[OURS, scene.name]))
            if speeds[-1].found < len(scene.faces):
                raise SpeedError(
                    f"{name} found {speeds[-1].found} of {len(scene.faces)} in {scene.name}; "
                    "times of different work do not compare"
                )
    return speeds


def our_way(checkpoint: Checkpoint) -> Way:
    """What the page and the command `predict` do."""
    predictor = Predictor(checkpoint, FaceDetector())
    return timed(lambda image: [face.box for face in predictor.predict(image)])


def mtcnn_way(checkpoint: Checkpoint) -> Way:
    """facenet-pytorch's own loop, each face aligned, the checkpoint's network as it is stored."""
    detector, size = packaged_mtcnn(), checkpoint.preprocessing.image_size

    def predict(image: np.ndarray) -> np.ndarray:
        boxes, scores, landmarks = detector.detect(image, landmarks=True)
        if boxes is None:
            return np.zeros((0, 4))
        faces = [
            FaceBox(
                tuple(float(edge) for edge in box), np.asarray(points, np.float32), float(score)
            )
            for box, points, score in zip(boxes, landmarks, scores, strict=True)
        ]
        checkpoint.probabilities(np.stack([align_face(image, face, size) for face in faces]))
        return np.asarray(boxes, dtype=np.float64)

    return timed(predict)


@contextmanager
def fer_way(python: str, pictures: Sequence[Scene]) -> Iterator[Way]:
    """`fer` in a process of the Python named, which must have it. SpeedError when it has not."""
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "pictures.npz"
        np.savez(stored, **{scene.name: scene.image for scene in pictures})
        call = [python, str(_WORKER), str(stored), str(torch.get_num_threads())]
        log = Path(folder) / "log.txt"
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as worker,
        ):

            def ask(line: str | None) -> dict[str, object]:
                if line is not None:
                    worker.stdin.write(f"{line}\n")
                    worker.stdin.flush()
                for answer in worker.stdout:
                    if answer.startswith("{"):  # TensorFlow may print lines of its own
                        return json.loads(answer)
                said = log.read_text(errors="replace").strip().splitlines()
                raise SpeedError(
                    f"fer cannot be timed with {python}: {said[-1] if said else 'it ended'}; "
                    "give a Python where `import fer.fer` works"
                )

            try:
                ask(None)
                yield lambda scene: Pass(**_pass_values(ask(scene.name)))
            finally:
                worker.kill()


def timed(predict: Callable[[np.ndarray], object]) -> Way:
    """A way out of a function from uint8 (H, W, 3) to boxes (N, 4)."""

    def way(scene: Scene) -> Pass:
        wall, processor = time.perf_counter(), time.process_time()
        boxes = predict(scene.image)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return Pass(1000 * wall, 1000 * processor, _boxes(boxes))

    return way


def speed_table(speeds: Sequence[Speed]) -> str:
    """Markdown: a row per way, for each scene its milliseconds and how many times ours they are."""
    pictures = list(dict.fromkeys(speed.scene for speed in speeds))
    heads = [head for name in pictures for head in (f"{name}, ms", "times ours", "processor")]
    lines = [f"| way | {' | '.join(heads)} |", f"|{'---|' * (1 + len(heads))}"]
    for way in dict.fromkeys(speed.way for speed in speeds):
        cells = [way]
        for speed in (one for one in speeds if one.way == way):
            low, middle, high = speed.wall_ms
            cells.append(f"{middle:.1f} ({low:.1f} to {high:.1f})")
            cells.append(f"{speed.wall_ratio:.2f}")
            cells.append(f"{speed.processor_ms[1]:.1f} ms, {speed.processor_ratio:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _speed(name: str, scene: Scene, own: Sequence[Pass], ours: Sequence[Pass]) -> Speed:
    wall = np.array([went.wall_ms for went in own])
    processor = np.array([went.processor_ms for went in own])
    return Speed(
        way=name,
        scene=scene.name,
        wall_ms=_quartiles(wall),
        processor_ms=_quartiles(processor),
        wall_ratio=float(np.median(wall / [went.wall_ms for went in ours])),
        processor_ratio=float(np.median(processor / [went.processor_ms for went in ours])),
        found=min(scene.found(went.boxes) for went in own),
        faces=len(scene.faces),
        rounds=len(own),
    )


def _quartiles(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(low), float(middle), float(high)


def _boxes(boxes: object) -> np.ndarray:
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def _pass_values(answer: dict[str, object]) -> dict[str, object]:
    return {**answer, "boxes": _boxes(answer["boxes"])}
