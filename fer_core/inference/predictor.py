"""A picture uint8 (H, W, 3) in, a `FacePrediction` for every face out: detect, align, classify,
and explain on request.

The label says which expression a face resembles. All faces of a picture go in one batch, each
in two cuts (`align.READINGS`), the second mirrored, through the checkpoint's own preprocessing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from fer_core.cores import one_core
from fer_core.data.batches import scoring_batch
from fer_core.data.preprocess import Preprocessing
from fer_core.inference.align import READINGS, align_face
from fer_core.inference.detect import FaceBox, FaceDetector
from fer_core.inference.fused import fused_probabilities
from fer_core.inference.photo import PhotoError
from fer_core.inference.saliency import Explanation, explain
from fer_core.labels import UNSURE_COLOUR, colour
from fer_core.runs.checkpoint import Checkpoint

#: A face whose strongest label has less is answered with "unsure", unless asked otherwise.
UNSURE_BELOW = 0.4
#: A label that holds less than half and leads by less than this is named with the next one.
_HALF, _CLOSE = 0.5, 0.15
#: Pixels of all cuts up to which one core is as soon ready as two: 16 cuts of 48 x 48.
_SMALL_WORK = 16 * 48 * 48
#: Levels between a channel's darkest and brightest pixel; below it in all, nothing is shown.
_LEAST_CONTRAST = 8


class Classifier(Protocol):
    """What a predictor needs of a checkpoint; `runs.checkpoint.Checkpoint` is one."""

    @property
    def preprocessing(self) -> Preprocessing: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, C) → float (N, classes), rows summing to 1."""
        ...


@dataclass(frozen=True)
class FacePrediction:
    """One face and what the model says of it.

    box: (x0, y0, x1, y1) in pixels of the picture, None when the whole picture was taken as the
    face. confidence: the label's probability. probabilities: every class in the model's order.
    face: uint8 (S, S, C), the first of the cuts that the model saw. landmarks: (5, 2) as in
    FaceBox, or None.
    """

    box: tuple[float, float, float, float] | None
    label: str
    confidence: float
    probabilities: dict[str, float]
    face: np.ndarray
    landmarks: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with "unsure" for a weak label; the pixels are left out."""
        box = None if self.box is None else [round(float(edge), 1) for edge in self.box]
        points = None if self.landmarks is None else self.landmarks.astype(float).round(1).tolist()
        return {
            "box": box,
            "label": self.label,
            "confidence": self.confidence,
            "unsure": self.confidence < UNSURE_BELOW,
            "probabilities": dict(self.probabilities),
            "landmarks": points,
        }


def spoken_label(prediction: FacePrediction, unsure_below: float = UNSURE_BELOW) -> tuple[str, str]:
    """(text, hex colour) of the answer: the label, two where they are close, or "unsure" below that
    probability."""
    if prediction.confidence < unsure_below:
        return "unsure", UNSURE_COLOUR
    other = close_second(prediction)
    text = f"{prediction.label} or {other}" if other else prediction.label
    return text, colour(prediction.label)


def close_second(prediction: FacePrediction) -> str:
    """The second strongest label, where the strongest has under half and leads by little; or ""."""
    if prediction.confidence >= _HALF:
        return ""
    others = {name: p for name, p in prediction.probabilities.items() if name != prediction.label}
    second = max(others, key=others.__getitem__, default="")
    close = second and prediction.confidence - others[second] < _CLOSE
    return second if close else ""


class Predictor:
    """One checkpoint with a face detector. Several predictors may share a detector."""

    def __init__(self, checkpoint: Classifier, detector: FaceDetector) -> None:
        self.checkpoint = checkpoint
        self.detector = detector
        fast = isinstance(checkpoint, Checkpoint)
        self._one_side = fused_probabilities(checkpoint) if fast else checkpoint.probabilities

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, C) → float (N, classes): the mean over each face and its mirror image.

        A mirrored face so gets the same answer, and with every shipped model the log loss on
        FER2013's PublicTest is lower than with one side alone (results/experiments.md).
        """
        return self._mean(faces, faces)

    def _mean(self, faces: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The mean over each face and the mirror image of its other cut (each uint8 (N, H, W, C)).

        Batches are as large as suits the pictures' size.
        """
        at_once = scoring_batch(self.checkpoint.preprocessing.image_size, 128) // 2
        found = [np.zeros((0, len(self.checkpoint.class_names)), dtype=np.float32)]
        for start in range(0, len(faces), at_once):
            part, other = faces[start : start + at_once], others[start : start + at_once]
            rows = self._one_side(np.concatenate([part, other[:, :, ::-1]]))  # (2N, classes)
            found.append((rows[: len(part)] + rows[len(part) :]) / 2)
        return np.concatenate(found)

    def predict(
        self, image: np.ndarray, whole_picture: bool = False, min_face: float | None = None
    ) -> list[FacePrediction]:
        """Every face of `image` (uint8 (H, W, 3)), the largest first; empty when none is found.

        whole_picture: look for no face and take the middle square of the picture as one. A picture
        that is itself a face cut as in the training data is then classified as it stands; one of
        a single colour is a PhotoError. min_face: of the faces that are looked for, see
        `FaceDetector.detect`.
        """
        if whole_picture:
            square = middle_square(image)
            if np.ptp(square, axis=(0, 1)).max() < _LEAST_CONTRAST:  # in no channel
                raise PhotoError(
                    "there is nothing to see in the picture, it is of one colour; choose one with "
                    "a face"
                )
            return self._classified([square], [square], [None])
        return self.classify(image, self.detector.detect(image, min_face=min_face))

    def classify(self, image: np.ndarray, faces: Sequence[FaceBox]) -> list[FacePrediction]:
        """The expressions of faces already found in `image`, in their order."""
        size = self.checkpoint.preprocessing.image_size
        grey = self.checkpoint.preprocessing.channels == 1
        with one_core(len(READINGS) * len(faces) * size**2 <= _SMALL_WORK):
            first, second = (
                [align_face(image, face, size, mode, side, grey) for face in faces]
                for mode, side in READINGS
            )
            return self._classified(first, second, faces)

    def explain(self, prediction: FacePrediction) -> Explanation:
        """What the label of a prediction of this predictor rests on; see `saliency.explain`."""
        label = self.checkpoint.class_names.index(prediction.label)
        return explain(self.probabilities, prediction.face, label)

    def _classified(
        self,
        pictures: Sequence[np.ndarray],
        others: Sequence[np.ndarray],
        faces: Sequence[FaceBox | None],
    ) -> list[FacePrediction]:
        """pictures: the cuts that are shown. others: a second cut of each."""
        if not pictures:
            return []
        seen = self._as_seen(np.stack(pictures))  # (N, S, S, C)
        rows = self._mean(seen, self._as_seen(np.stack(others)))  # (N, classes)
        return [
            _prediction(self.checkpoint.class_names, row, image, face)
            for row, image, face in zip(rows, seen, faces, strict=True)
        ]

    def _as_seen(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 1 or 3) → uint8 (N, S, S, C), in the network's size and colour."""
        unit = self.checkpoint.preprocessing.to_unit(torch.from_numpy(pictures))
        pixels = (unit * 255).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).contiguous().numpy()


def middle_square(image: np.ndarray) -> np.ndarray:
    """The largest square in the middle of uint8 (H, W, 3)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def _prediction(
    class_names: Sequence[str], row: np.ndarray, image: np.ndarray, face: FaceBox | None
) -> FacePrediction:
    best = int(row.argmax())
    return FacePrediction(
        box=None if face is None else face.box,
        label=class_names[best],
        confidence=float(row[best]),
        probabilities={name: float(share) for name, share in zip(class_names, row, strict=True)},
        face=image,
        landmarks=None if face is None else face.landmarks,
    )
