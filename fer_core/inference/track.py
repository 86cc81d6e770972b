"""Faces from frame to frame of one viewer's camera: matched, smoothed in time, let go when unseen.

Keeps boxes, probabilities and a 16 x 16 thumbnail of each face, never a frame. Time is an argument,
in seconds of any clock that does not go back.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_core.inference.detect import FaceBox
from fer_core.inference.predictor import FacePrediction, Predictor

#: Long side in pixels at which a camera's frame is searched: a face may be a thirteenth of it.
LIVE_LONG_SIDE = 320

_THUMBNAIL = 16
_STILL = 5.0  # grey levels: mean difference of thumbnails up to which a face has not moved
_RATE_WINDOW_S = 2.0


@dataclass(frozen=True)
class Smoothing:
    """Time constants in seconds: after one of them, 63 % of a change has come through.

    With probabilities_s of 0.12 another expression is named some 85 ms after it began, and one odd
    picture of twenty in a second does not show.
    forget_s: a face unseen this long is dropped. detect_every_s: a still picture is searched for
    new faces this often. min_overlap: intersection over union that makes two boxes one face.
    """

    probabilities_s: float = 0.12
    box_s: float = 0.1
    forget_s: float = 0.5
    detect_every_s: float = 0.5
    min_overlap: float = 0.2

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(
                    f"{name} must be above 0, got {value}; try {Smoothing.__dict__[name]}"
                )


@dataclass
class _Track:
    smooth: FacePrediction
    raw_box: tuple[float, ...]
    seen: float  # s


class FaceTracker:
    """The faces one viewer's camera sees; plain values only, to be kept for each viewer."""

    def __init__(self, smoothing: Smoothing | None = None) -> None:
        self.smoothing = smoothing or Smoothing()
        self._tracks: list[_Track] = []
        self._found: list[tuple[FaceBox, np.ndarray]] = []  # at the last search, with thumbnails
        self._searched = -math.inf  # s
        self._times: deque[float] = deque(maxlen=120)

    def follow(self, frame: np.ndarray, predictor: Predictor, now: float) -> list[FacePrediction]:
        """The faces of the next frame (uint8 (H, W, 3)), smoothed.

        Faces are searched anew when one has moved, when none is known, and every
        `detect_every_s`; in between they are classified where they were.
        """
        faces = self._unmoved(frame, now)
        if faces is None:
            faces = predictor.detector.detect(frame, long_side=LIVE_LONG_SIDE)
            self._found = [(face, _thumbnail(frame, face)) for face in faces]
            self._searched = now
        return self.update(predictor.classify(frame, faces), now)

    def update(self, predictions: Sequence[FacePrediction], now: float) -> list[FacePrediction]:
        """What to show at `now` seconds: one prediction per face, in the order they first came.

        predictions: what was found in the newest frame. Boxes and probabilities are smoothed
        exponentially in time; a face missing from a few frames stays where it was.
        """
        self._note_time(now)
        matches = self._matches(predictions)
        for place, prediction in enumerate(predictions):
            if place not in matches:
                self._tracks.append(_Track(prediction, _box(prediction), now))
            else:
                track = self._tracks[matches[place]]
                track.smooth = self._blend(track.smooth, prediction, now - track.seen)
                track.raw_box, track.seen = _box(prediction), now
        forget = self.smoothing.forget_s
        self._tracks = [track for track in self._tracks if now - track.seen < forget]
        return [track.smooth for track in self._tracks]

    @property
    def frames_per_second(self) -> float:
        """Frames handled a second over the last two seconds; 0 until there are two frames."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def _note_time(self, now: float) -> None:
        while self._times and not 0 <= now - self._times[0] <= _RATE_WINDOW_S:
            self._times.popleft()
        self._times.append(now)

    def _unmoved(self, frame: np.ndarray, now: float) -> list[FaceBox] | None:
        """The faces of the last search when nothing moved since, else None."""
        if not self._found or not 0 <= now - self._searched < self.smoothing.detect_every_s:
            return None
        for face, thumbnail in self._found:
            if np.abs(_thumbnail(frame, face) - thumbnail).mean() > _STILL:
                return None
        return [face for face, _ in self._found]

    def _matches(self, predictions: Sequence[FacePrediction]) -> dict[int, int]:
        """Place of a prediction → that of the track it belongs to, where there is one.

        The pairs that overlap most come first: else a face that appears beside a known one could
        take over its track.
        """
        pairs = [
            (_overlap(_box(prediction), track.raw_box), place, number)
            for place, prediction in enumerate(predictions)
            for number, track in enumerate(self._tracks)
        ]
        found: dict[int, int] = {}
        for overlap, place, number in sorted(pairs, key=lambda pair: -pair[0]):
            enough = overlap >= self.smoothing.min_overlap
            if enough and place not in found and number not in found.values():
                found[place] = number
        return found

    def _blend(self, old: FacePrediction, new: FacePrediction, elapsed: float) -> FacePrediction:
        if old.probabilities.keys() != new.probabilities.keys():  # another checkpoint was chosen
            return new
        share = _new_share(elapsed, self.smoothing.probabilities_s)
        probabilities = {
            name: (1 - share) * old.probabilities[name] + share * value
            for name, value in new.probabilities.items()
        }
        share = _new_share(elapsed, self.smoothing.box_s)
        edges = zip(_box(old), _box(new), strict=True)
        box = tuple((1 - share) * before + share * after for before, after in edges)
        label = max(probabilities, key=probabilities.__getitem__)
        return replace(
            new, box=box, label=label, confidence=probabilities[label], probabilities=probabilities
        )


def _new_share(elapsed: float, time_constant: float) -> float:
    """Weight of a new value `elapsed` seconds after the last, whatever the frame rate."""
    return 1 - math.exp(-max(elapsed, 0.0) / time_constant)


def _box(prediction: FacePrediction) -> tuple[float, ...]:
    if prediction.box is None:
        raise ValueError("a face can be followed only by its box, got a whole picture")
    return prediction.box


def _overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1), 0 to 1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    union = sum(areas) - shared
    return shared / union if union > 0 else 0.0


def _thumbnail(frame: np.ndarray, face: FaceBox) -> np.ndarray:
    """float32 (16, 16): coarse grey values of the face's box, four samples to a cell."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = face.box
    cells = (np.arange(2 * _THUMBNAIL) + 0.5) / (2 * _THUMBNAIL)
    columns = np.clip((x0 + cells * (x1 - x0)).astype(int), 0, width - 1)
    rows = np.clip((y0 + cells * (y1 - y0)).astype(int), 0, height - 1)
    samples = frame[np.ix_(rows, columns)].astype(np.float32).mean(axis=2)  # (32, 32)
    return samples.reshape(_THUMBNAIL, 2, _THUMBNAIL, 2).mean(axis=(1, 3))
