"""A checkpoint as one ONNX file: uint8 pictures in, probabilities out, checked before it is kept.

Preprocessing and temperature are part of the graph, so whatever runs it needs nothing else.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fer_core.paths import replaced
from fer_core.runs.checkpoint import Checkpoint

#: Names of the graph's input, uint8 (N, S, S, C), and output, float32 (N, classes).
INPUT, OUTPUT = "pictures", "probabilities"
#: Largest difference between the file's probabilities and the checkpoint's.
TOLERANCE = 1e-4
_TRIALS = 32
_OPERATIONS = 17  # the ONNX operator set; runtimes of 2022 and later know it


class ExportError(RuntimeError):
    """A checkpoint that cannot be exported. The message says why and what to do."""


@dataclass(frozen=True)
class Exported:
    """The file, its size, and the largest difference of a probability found in the check."""

    path: Path
    bytes: int
    difference: float
    pictures: int


class _Graph(nn.Module):
    """What the file holds: preprocessing, network, temperature, softmax."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.network = checkpoint.model
        self.preprocessing = checkpoint.preprocessing
        self.temperature = checkpoint.temperature

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits = self.network(self.preprocessing(pictures))
        return (logits / self.temperature).softmax(dim=1)


def export_onnx(checkpoint: Checkpoint, path: Path) -> Exported:
    """Write the checkpoint to `path`, run it with ONNX Runtime and compare; returns what was found.

    The file takes any number of pictures of the checkpoint's own size and colours, and names its
    classes in the metadata entry "class_names". ExportError, and no file, when a package is
    missing, when the network cannot be written, or when an answer differs by more than TOLERANCE.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401  (the check needs it)
    except ImportError as error:
        raise ExportError(
            f"{error.name} is not installed; pip install -r requirements-export.txt"
        ) from error
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as scratch:
        _write(checkpoint, scratch)
        graph = onnx.load(scratch)
        names = json.dumps(list(checkpoint.class_names))
        onnx.helper.set_model_props(graph, {"class_names": names})
        onnx.save(graph, scratch)
        difference = _difference(checkpoint, scratch)
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the exported network differs from {checkpoint.folder} by {difference:.1e} in a "
                f"probability, more than {TOLERANCE:.0e}; nothing was written"
            )
    return Exported(path, path.stat().st_size, difference, 2 * _TRIALS)


def _write(checkpoint: Checkpoint, path: Path) -> None:
    size, channels = checkpoint.preprocessing.image_size, checkpoint.preprocessing.channels
    with warnings.catch_warnings():
        # this exporter is called old, but takes a second where its successor takes a minute
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                _Graph(checkpoint).eval(),
                (torch.zeros((2, size, size, channels), dtype=torch.uint8),),
                str(path),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
                opset_version=_OPERATIONS,
                dynamo=False,
            )
        except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
            first = str(error).strip().splitlines()[0]
            raise ExportError(f"{checkpoint.model_name} cannot be exported: {first}") from error


def _difference(checkpoint: Checkpoint, path: Path) -> float:
    """The largest difference over noise and over smooth pictures, in batches of all and of one."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    size, channels = checkpoint.preprocessing.image_size, checkpoint.preprocessing.channels
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (_TRIALS, size, size, channels), dtype=np.uint8)
    light = np.linspace(0, 1, size)[None, :, None, None] * random.uniform(
        0, 255, (_TRIALS, 1, size, channels)
    )
    worst = 0.0
    for pictures in (noise, light.astype(np.uint8), noise[:1]):
        (answers,) = session.run([OUTPUT], {INPUT: pictures})
        gap = np.abs(answers - checkpoint.probabilities(pictures)).max()
        worst = max(worst, float(gap)) if np.isfinite(gap) else float("nan")
    return worst
