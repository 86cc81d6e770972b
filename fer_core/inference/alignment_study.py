"""Measures the frame that faces are aligned to, and which way of aligning them classifies best.

Faces of a set with known labels are pasted into pictures, found, aligned in every mode and
classified, each with its mirror image, beside the same faces as they were cut in the set and the
answer that a predictor gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from fer_core.data.faces import Faces
from fer_core.data.pictures import with_channels
from fer_core.inference.align import FRAME_SIZE, MODES, align_face
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.predictor import Classifier, Predictor
from fer_core.labels import map_classes

#: The name, in the column `mode`, of the faces as the set has them, neither found nor aligned.
AS_CUT = "as cut in the set"
#: The name there of a predictor's answer: the mean over its two cuts (`align.READINGS`).
AS_READ = "as a prediction reads it"
ALL_SIZES = "all"
#: A picture uint8 (H, W, 3) and the centre (x, y) of the face in it.
Pasted = tuple[np.ndarray, tuple[float, float]]
_BACKGROUNDS = ("plain", "gradient", "noise")


def compare_alignments(
    checkpoint: Classifier,
    faces: Faces,
    detector: FaceDetector,
    sizes: Sequence[int] = (64, 96, 160, 240),
    seed: int = 0,
    count: int | None = None,
    roll_degrees: float = 0.0,
    modes: Sequence[str] = tuple(MODES),
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """One row per size and mode, AS_CUT and AS_READ among them, and one per mode over ALL_SIZES.

    sizes: side in pixels at which a face is pasted. count: so many faces drawn at random, all
    without it. roll_degrees: each pasted face is turned by a random angle up to this. Columns:
    size, mode, pasted and found (pictures; found: with a face where it was pasted), accuracy and
    recall_<class> among the found ones. All modes are scored on the same faces. ValueError where no
    face is of a class that the checkpoint knows.
    """
    usable, classes = nameable(checkpoint, faces)
    if not usable:
        raise ValueError(
            f"no face of {faces.name} can be pasted: none of its {len(faces):,} here has a label "
            f"that the checkpoint knows ({', '.join(checkpoint.class_names)}); choose another set"
        )
    if count is not None and count < len(usable):
        usable = np.random.default_rng(seed).choice(usable, count, replace=False).tolist()
    truth = classes[usable]
    predictor = Predictor(checkpoint, detector)
    as_cut = predictor.probabilities(faces.images[usable]).argmax(axis=1)
    known: list[np.ndarray] = []  # per size: the classes of the found faces
    named: dict[str, list[np.ndarray]] = {mode: [] for mode in (AS_CUT, *modes, AS_READ)}
    rows = []

    def pasted(at: int, size: int) -> Iterator[Pasted]:
        random = np.random.default_rng([seed, size])
        for done, index in enumerate(usable, start=at * len(usable) + 1):
            yield paste_face(faces.images[index], size, random, roll_degrees)
            if progress is not None:
                progress(done, len(sizes) * len(usable))

    for at, size in enumerate(sizes):
        found, answers = _answers(predictor, pasted(at, size), size, modes)
        answers[AS_CUT] = as_cut[found]
        known.append(truth[found])
        for mode in named:
            named[mode].append(answers[mode])
            scores = _scores(truth[found], answers[mode], checkpoint.class_names)
            pictures = {"pasted": len(usable), "found": int(found.sum())}
            rows.append({"size": size, "mode": mode, **pictures, **scores})
    everyone = np.concatenate(known)
    for mode, parts in named.items():
        scores = _scores(everyone, np.concatenate(parts), checkpoint.class_names)
        pictures = {"pasted": len(usable) * len(sizes), "found": len(everyone)}
        rows.append({"size": ALL_SIZES, "mode": mode, **pictures, **scores})
    return pd.DataFrame(rows)


def nameable(checkpoint: Classifier, faces: Faces) -> tuple[list[int], np.ndarray]:
    """Which faces have a class that the checkpoint knows, and every face's class there, int64 (N,)
    with -1 for the others."""
    numbers = [
        -1 if n is None else n for n in map_classes(faces.class_names, checkpoint.class_names)
    ]
    classes = np.array([numbers[y] if y >= 0 else -1 for y in faces.labels], dtype=np.int64)
    return np.flatnonzero(classes >= 0).tolist(), classes


def _answers(
    predictor: Predictor, pasted: Iterable[Pasted], size: int, modes: Sequence[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Which pasted faces are found, bool (N,), and what these are named, int64 each, for every mode
    and AS_READ."""
    names, side = predictor.checkpoint.class_names, predictor.checkpoint.preprocessing.image_size
    cut: dict[str, list[np.ndarray]] = {mode: [] for mode in modes}
    read: list[int] = []
    found: list[bool] = []
    for picture, centre in pasted:
        face = face_at(predictor.detector.detect(picture), centre, size)
        found.append(face is not None)
        if face is not None:
            for mode in modes:
                cut[mode].append(align_face(picture, face, side, mode))
            read.append(names.index(predictor.classify(picture, [face])[0].label))
    answers = {mode: _classified(predictor, pictures) for mode, pictures in cut.items()}
    return np.array(found, dtype=bool), {**answers, AS_READ: np.array(read, dtype=np.int64)}


def paste_face(
    face: np.ndarray, size: int, random: np.random.Generator, roll_degrees: float = 0.0
) -> Pasted:
    """A picture uint8 (H, W, 3) with one face in it, and the face's centre (x, y).

    face: uint8 (h, w, 1 or 3), enlarged to `size` pixels by bicubic interpolation and pasted with
    a soft border on a plain, graded or blotchy ground two to three times as large.
    """
    width, height = (int(size * random.uniform(2, 3)) for _ in range(2))
    left, top = (
        int(random.integers(size // 4, length - size - size // 4 + 1)) for length in (width, height)
    )
    ground = Image.fromarray(background(height, width, random))
    lay_face(ground, face, size, (left, top), roll_degrees, random)
    return np.array(ground), (left + size / 2, top + size / 2)


def lay_face(
    ground: Image.Image,
    face: np.ndarray,
    size: int,
    place: tuple[int, int],
    roll_degrees: float,
    random: np.random.Generator,
) -> None:
    """Put a face (uint8 (h, w, 1 or 3)) on `ground`, bicubically enlarged, with a soft border.

    size: its side in pixels. place: its left and top. roll_degrees: turned by up to this.
    """
    big = Image.fromarray(np.ascontiguousarray(with_channels(face, 3)))
    big = big.resize((size, size), Image.Resampling.BICUBIC)
    soft = max(size // 16, 1)
    mask = Image.new("L", (size, size), 0)
    mask.paste(255, (soft, soft, size - soft, size - soft))
    mask = mask.filter(ImageFilter.GaussianBlur(soft / 2))
    if roll_degrees:
        angle = random.uniform(-roll_degrees, roll_degrees)
        big = big.rotate(angle, Image.Resampling.BICUBIC)
        mask = mask.rotate(angle, Image.Resampling.BILINEAR)
    ground.paste(big, place, mask)


def measure_frame(
    faces: Faces, detector: FaceDetector, count: int = 2000, seed: int = 1
) -> dict[str, Any]:
    """Where the detector sees landmarks and box in faces of a set, in a frame of FRAME_SIZE.

    Returns found (share), landmarks (5 medians (x, y)), box_centre, box_size; `align.TEMPLATE` and
    its neighbours are these figures for FER2013's training faces.
    """
    random = np.random.default_rng(seed)
    chosen = random.choice(len(faces), min(count, len(faces)), replace=False)
    found: list[FaceBox] = []
    for index in chosen:
        pixels = np.ascontiguousarray(with_channels(faces.images[index], 3))
        found += detector.detect(pixels, close_up=True)[:1]
    if not found:
        raise ValueError(f"no face found in {len(chosen)} images of {faces.name}")
    scale = FRAME_SIZE / faces.image_size[1]
    boxes = np.array([face.box for face in found]) * scale  # (F, 4)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return {
        "found": len(found) / len(chosen),
        "landmarks": np.median([face.landmarks * scale for face in found], axis=0).tolist(),
        "box_centre": np.median(centres, axis=0).tolist(),
        "box_size": float(np.median([face.size * scale for face in found])),
    }


def background(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """uint8 (height, width, 3), one of three kinds at random."""
    first, second = random.integers(30, 226, (2, 3))
    kind = _BACKGROUNDS[random.integers(len(_BACKGROUNDS))]
    if kind == "plain":
        return np.full((height, width, 3), first, dtype=np.uint8)
    if kind == "gradient":
        slope = np.linspace(0, 1, width)[None, :, None]
        return np.broadcast_to(first + slope * (second - first), (height, width, 3)).astype(
            np.uint8
        )
    blotches = random.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    return np.array(Image.fromarray(blotches).resize((width, height), Image.Resampling.BICUBIC))


def face_at(faces: Sequence[FaceBox], centre: tuple[float, float], size: int) -> FaceBox | None:
    """The found face whose box's middle is nearest to `centre`, within a third of the size."""
    middles = [((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in faces]
    distances = [float(np.hypot(x - centre[0], y - centre[1])) for x, y in middles]
    best = int(np.argmin(distances)) if distances else -1
    return faces[best] if distances and distances[best] <= size / 3 else None


def _classified(predictor: Predictor, pictures: list[np.ndarray]) -> np.ndarray:
    """int64 (N,), the most probable class of each and its mirror image; N may be 0."""
    if not pictures:
        return np.zeros(0, dtype=np.int64)
    return predictor.probabilities(np.stack(pictures)).argmax(axis=1)


def _scores(truth: np.ndarray, named: np.ndarray, class_names: Sequence[str]) -> dict[str, float]:
    right = truth == named
    scores = {"accuracy": float(right.mean()) if len(right) else float("nan")}
    for number, name in enumerate(class_names):
        own = right[truth == number]
        scores[f"recall_{name}"] = float(own.mean()) if len(own) else float("nan")
    return scores
