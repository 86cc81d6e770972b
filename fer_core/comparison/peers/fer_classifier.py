"""Asks the package `fer` from PyPI, in a Python of its own, what it says of faces already cut.

Run as: python fer_classifier.py FACES.npy ANSWERS.npz. Faces: uint8 (N, H, W). Answers: float32
(N, 7) `probabilities` in the order of its own labels, `labels`, and `version`. The faces are
enlarged and scaled as the package does it after its own search. Needs nothing of this project.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

import numpy as np

#: What the package's network takes, in pixels.
SIDE = 64
AT_ONCE = 64


def main() -> None:
    import cv2
    from fer.fer import FER

    faces = np.load(sys.argv[1])
    recogniser, found = FER(), []
    for start in range(0, len(faces), AT_ONCE):
        batch = [cv2.resize(face, (SIDE, SIDE)) for face in faces[start : start + AT_ONCE]]
        scaled = (np.array(batch, dtype=np.float32) / 255.0 - 0.5) * 2.0
        found.append(np.asarray(recogniser._classify_emotions(scaled), dtype=np.float32))
    labels = FER._get_labels()
    np.savez(
        sys.argv[2],
        probabilities=np.concatenate(found),
        labels=[labels[place] for place in range(len(labels))],
        version=version("fer"),
    )


if __name__ == "__main__":
    main()
