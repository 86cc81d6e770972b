"""Times the package `fer` from PyPI in a Python of its own, one picture at a time on request.

Run as: python fer_worker.py PICTURES.npz THREADS. Reads the name of an array per line, answers one
line of JSON: wall_ms, processor_ms, boxes (x0, y0, x1, y1). Needs nothing of this project.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main() -> None:
    import cv2
    from fer.fer import FER

    cv2.setNumThreads(int(sys.argv[2]))
    with np.load(sys.argv[1]) as stored:  # it takes blue-green-red, as OpenCV reads pictures
        pictures = {name: np.ascontiguousarray(stored[name][:, :, ::-1]) for name in stored.files}
    recogniser = FER()
    _answer({"ready": True})
    for line in sys.stdin:
        picture = pictures[line.strip()]
        wall, processor = time.perf_counter(), time.process_time()
        found = recogniser.detect_emotions(picture)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        corners = [[int(edge) for edge in face["box"]] for face in found]
        boxes = [[x, y, x + width, y + height] for x, y, width, height in corners]
        _answer({"wall_ms": 1000 * wall, "processor_ms": 1000 * processor, "boxes": boxes})


def _answer(values: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
