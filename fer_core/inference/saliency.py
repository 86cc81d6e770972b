"""Which parts of a face an answer rests on, found by covering them one after the other.

Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2): a grey square slides over the
face, and where it lowers the answer's probability the answer rested on what it hid. It asks the
model only for probabilities, so it works for every network and for a support vector machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Side of the cover, as a share of the face's side: an eye with its brow, or the mouth.
COVER_SHARE = 1 / 3
#: Places of the cover along each side; fewer where the model is too slow for so many.
PLACES = 10
_FEWEST_PLACES = 4
#: How often a model that seems too slow is timed again.
_TRIES = 2
#: What the covers of one face may take, estimated from the time for the uncovered face.
SECONDS = 4.0
#: Probability that a single cover has to take for the part below it to be called decisive.
DECISIVE = 0.03

#: uint8 (N, S, S, C) → float (N, classes), rows summing to 1
Probabilities = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cover:
    """A covered square: its upper left corner and side in pixels of the face, and the probability
    (0-1) that the explained class keeps when only this square is covered.

    where: the place of its middle in the face in words, as in "lower middle".
    """

    left: int
    top: int
    side: int
    probability: float
    where: str = ""


@dataclass(frozen=True)
class Explanation:
    """What covering does to the probability of one class.

    probability: without a cover (0-1). effect: float32 (S, S), how much probability (−1 to 1) is
    lost on average over the covers that hide a pixel; below 0 where the class gains by it.
    strongest: the cover that takes the most away. places: of the cover along each side.
    """

    probability: float
    effect: np.ndarray
    strongest: Cover
    places: int = PLACES

    @property
    def decisive(self) -> bool:
        """Whether one cover takes enough to speak of it."""
        return self.probability - self.strongest.probability >= DECISIVE


def explain(
    probabilities: Probabilities, face: np.ndarray, label: int, seconds: float = SECONDS
) -> Explanation:
    """Cover uint8 (S, S, C) at PLACES × PLACES places and see what class `label` loses.

    The cover has the face's mean colour, so that it changes the overall brightness least. A model
    that would need more than `seconds` for them is asked at fewer places, at least 4 × 4.
    """
    whole, spent = _timed(probabilities, face, label)
    for _ in range(_TRIES):  # the first may have been held up, by what it sets up or by others
        if seconds / spent < PLACES**2:
            spent = min(spent, _timed(probabilities, face, label)[1])
    affordable = seconds / spent
    places = min(PLACES, max(_FEWEST_PLACES, math.isqrt(int(min(affordable, PLACES**2)))))

    size = face.shape[0]
    side = max(1, round(size * COVER_SHARE))
    starts = np.unique(np.linspace(0, size - side, places).round().astype(int))
    corners = [(top, left) for top in starts for left in starts]
    grey = face.reshape(-1, face.shape[2]).mean(axis=0).round().astype(np.uint8)

    covered = np.repeat(face[None], len(corners), axis=0)
    for picture, (top, left) in zip(covered, corners, strict=True):
        picture[top : top + side, left : left + side] = grey
    kept = probabilities(covered)[:, label]

    lost, times = np.zeros((size, size)), np.zeros((size, size))
    for share, (top, left) in zip(kept, corners, strict=True):
        lost[top : top + side, left : left + side] += whole - share
        times[top : top + side, left : left + side] += 1
    best = int(kept.argmin())
    top, left = corners[best]
    return Explanation(
        probability=whole,
        effect=(lost / np.maximum(times, 1)).astype(np.float32),
        strongest=Cover(
            int(left), int(top), side, float(kept[best]), _where(left, top, side, size)
        ),
        places=places,
    )


def _timed(probabilities: Probabilities, face: np.ndarray, label: int) -> tuple[float, float]:
    """The label's probability, and the seconds that one face takes."""
    begun = time.perf_counter()
    share = float(probabilities(face[None])[0, label])
    return share, max(time.perf_counter() - begun, 1e-9)


def _where(left: int, top: int, side: int, size: int) -> str:
    row = min(2, int(3 * (top + side / 2) / size))
    column = min(2, int(3 * (left + side / 2) / size))
    if row == column == 1:
        return "middle"
    return f"{('upper', '', 'lower')[row]} {('left', 'middle', 'right')[column]}".strip()
