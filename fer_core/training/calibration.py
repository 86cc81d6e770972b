"""Temperature scaling: one number that makes a network's probabilities say how often it is right
(Guo et al., arXiv 1706.04599)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

#: With fewer images than this the temperature would be chance.
FEWEST_IMAGES = 50
#: The temperatures that are looked at, lowest and highest.
_RANGE = (0.05, 20.0)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that makes the labels likeliest; 1 with fewer than `FEWEST_IMAGES`.

    probabilities: float (N, classes) at temperature 1, of images that the network did not learn
    from; labels: int (N,).
    """
    if len(labels) < FEWEST_IMAGES:
        return 1.0
    logits = _logits(probabilities)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=1)
        spread = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float((spread - scaled[np.arange(len(labels)), labels]).mean())

    low, high = np.log(_RANGE)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return float(f"{np.exp(found.x):.4g}")


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """float32 (N, classes): what probabilities at temperature 1 become at another."""
    if temperature == 1:
        return probabilities
    scaled = _logits(probabilities) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """float64; logits up to a constant per row, which no softmax sees."""
    return np.log(np.clip(probabilities.astype(np.float64), 1e-30, None))
