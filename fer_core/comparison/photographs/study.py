"""Faces of a set pasted into photographs, found and classified, beside the same faces as cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fer_core.comparison.photographs.conditions import (
    CONDITIONS,
    LARGE,
    SIZES,
    Condition,
    Photograph,
    check_side,
    photograph,
)
from fer_core.data.faces import Faces
from fer_core.inference.alignment_study import face_at, nameable
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.predictor import Classifier, Predictor

#: find(picture uint8 (H, W, 3)) → boxes float (N, 4) as x0, y0, x1, y1
Find = Callable[[np.ndarray], np.ndarray]

_ROUNDS = 2_000
#: Of fewer found faces an interval says nothing: a bootstrap of one gives it no width at all.
_FEWEST_FACES = 20


@dataclass(frozen=True)
class Outcome:
    """One condition over some sizes. pasted, found, found_usual: faces; found_usual is None where
    the usual detector was not asked. accuracy, as_cut: of the found faces, in the photograph and as
    the set has them. loss: as_cut - accuracy with its 95 % interval (low, high), NaN where too few
    faces were found for one."""

    condition: str
    size: str
    pasted: int
    found: int
    found_usual: int | None
    accuracy: float
    as_cut: float
    loss: tuple[float, float, float]


def study_photographs(
    checkpoint: Classifier,
    faces: Faces,
    detector: FaceDetector,
    usual: Find | None = None,
    conditions: Sequence[Condition] = CONDITIONS,
    sizes: Sequence[int] = SIZES,
    count: int = 150,
    seed: int = 0,
    enlarged: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Every condition at every size, and pooled over the sizes from LARGE on.

    count: so many faces drawn at random, each seen in every condition and size. usual: a detector
    to count beside this project's. enlarged: see `photograph`. Faces whose class the checkpoint has
    not are left out; ValueError when none is left, and for a size that no photograph can hold.
    """
    usable, classes = nameable(checkpoint, faces)
    if count < 1:
        raise ValueError(f"the study needs at least one face, got a count of {count}")
    for size in sizes:  # now, and not after those before it
        check_side(size, enlarged)
    if not usable:
        raise ValueError(f"{faces.name} has no labelled face of a class that the model knows")
    random = np.random.default_rng(seed)
    chosen = random.permutation(usable)[:count]
    truth = classes[chosen]
    predictor = Predictor(checkpoint, detector)
    right_cut = predictor.probabilities(faces.images[chosen]).argmax(axis=1) == truth
    outcomes: list[Outcome] = []
    done, total = 0, len(conditions) * len(sizes) * len(chosen)
    for place, condition in enumerate(conditions):
        large: list[_Seen] = []
        for size in sizes:
            seen = _Seen(len(chosen))
            for number, index in enumerate(chosen):
                own = np.random.default_rng([seed, place, size, number])
                shown = photograph(faces.images[index], size, condition, own, enlarged=enlarged)
                face = _found(predictor, shown)
                if face is not None:
                    seen.found[number] = True
                    said = predictor.classify(shown.image, [face])[0].label
                    seen.right[number] = said == checkpoint.class_names[truth[number]]
                if usual is not None:
                    seen.usual[number] = _is_among(usual(shown.image), shown)
                done += 1
                if progress is not None:
                    progress(done, total)
            outcomes.append(
                _outcome(condition.name, f"{size}", [seen], right_cut, usual is not None)
            )
            large += [seen] if size >= LARGE else []
        if len(large) > 1:
            outcomes.append(
                _outcome(condition.name, f"from {LARGE}", large, right_cut, usual is not None)
            )
    return outcomes


class _Seen:
    """What became of each face (N,) at one size: found, found by the usual way, named rightly."""

    def __init__(self, count: int) -> None:
        self.found, self.usual, self.right = (np.zeros(count, dtype=bool) for _ in range(3))


def _found(predictor: Predictor, shown: Photograph) -> FaceBox | None:
    return face_at(predictor.detector.detect(shown.image), shown.middle, shown.side)


def _is_among(boxes: np.ndarray, shown: Photograph) -> bool:
    """Whether the middle of a box lies within a third of the face's side of its middle."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2  # (N, 2)
    return bool((np.hypot(*(middles - shown.middle).T) <= shown.side / 3).any())


def _outcome(
    condition: str, size: str, seen: Sequence[_Seen], right_cut: np.ndarray, asked: bool
) -> Outcome:
    found = np.stack([one.found for one in seen])  # (sizes, faces)
    right = np.stack([one.right for one in seen]) & found
    cut = np.broadcast_to(right_cut, found.shape) & found
    number = int(found.sum())
    return Outcome(
        condition=condition,
        size=size,
        pasted=found.size,
        found=number,
        found_usual=sum(int(one.usual.sum()) for one in seen) if asked else None,
        accuracy=right.sum() / number if number else float("nan"),
        as_cut=cut.sum() / number if number else float("nan"),
        loss=_loss(cut.sum(axis=0) - right.sum(axis=0), found.sum(axis=0)),
    )


def _loss(lost: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Lost answers by found faces, and the 2.5th and 97.5th percentile of a bootstrap of persons.

    lost, found: int (N,), per face over all sizes. A face at several sizes is drawn as one, for
    its answers hang together. Of fewer than _FEWEST_FACES faces the interval is NaN.
    """
    if not found.sum():
        return (float("nan"),) * 3
    if np.count_nonzero(found) < _FEWEST_FACES:
        return (float(lost.sum() / found.sum()), float("nan"), float("nan"))
    drawn = np.random.default_rng(0).multinomial(
        len(found), np.full(len(found), 1 / len(found)), _ROUNDS
    )
    counts = drawn @ found
    shares = (drawn @ lost)[counts > 0] / counts[counts > 0]
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(lost.sum() / found.sum()), float(low), float(high)
