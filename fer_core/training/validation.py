"""A network over one part of a set: its probabilities, and the figures that choose an epoch."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn

from fer_core.data.batches import FaceTensor, plain_batches, scoring_batch
from fer_core.data.preprocess import Preprocessing


@torch.inference_mode()
def predict_part(
    model: nn.Module,
    part: FaceTensor,
    preprocessing: Preprocessing,
    classes: int,
    mirrored: bool = False,
) -> np.ndarray:
    """float32 (N, classes) probabilities, in stored order; mirrored: of the mirror images.

    In float32 whatever the precision of the training, so that what chose an epoch and what is
    reported are the figures that `evaluate` finds again on another machine.
    """
    model.eval()
    rows = [np.zeros((0, classes), dtype=np.float32)]
    for batch in plain_batches(part, preprocessing, scoring_batch(preprocessing.image_size)):
        images = batch.images.flip(-1) if mirrored else batch.images
        images = images.contiguous(memory_format=torch.channels_last)
        scores = model(images)  # (B, classes)
        rows.append(scores.float().softmax(dim=1).cpu().numpy())
    return np.concatenate(rows)


def validation_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Keys validation_loss (mean negative log likelihood), validation_accuracy (a fraction),
    validation_macro_f1.

    probabilities: float (N, classes); labels: int (N,).
    """
    chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-12, None)
    predicted = probabilities.argmax(axis=1)
    return {
        "validation_loss": float(-np.log(chosen.astype(np.float64)).mean()),
        "validation_accuracy": float((predicted == labels).mean()),
        "validation_macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
    }


def quality(scores: dict[str, float], name: str) -> float:
    """The named figure such that more is better."""
    return -scores[name] if name == "validation_loss" else scores[name]
