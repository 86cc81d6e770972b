"""ImageNet weights: fetched once into torch's own cache, or a plain `ModelError` when offline.

Nothing here waits long: the network is asked for ten seconds before a download starts.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import torch

from fer_core.models.network import ModelError

_PATIENCE_SECONDS = 10


def torchvision_weights(name: str) -> dict[str, Any]:
    """The state of torchvision's network `name` trained on ImageNet. ModelError without network."""
    from torchvision.models import get_model_weights

    weights = next(iter(get_model_weights(name)))  # the first is the original recipe's, V1
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    try:
        if not cached.is_file():
            check_reachable(weights.url)
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; RuntimeError: a wrong hash
        raise no_weights(name, error) from error


def check_reachable(url: str) -> None:
    """Raises OSError within ten seconds when nothing answers at `url`."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS).close()
    except urllib.error.URLError as error:
        raise OSError(str(getattr(error, "reason", error))) from error


def no_weights(name: str, error: Exception) -> ModelError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ModelError(
        f"the ImageNet weights of {name} could not be fetched ({reason[:200]}): connect this "
        "machine to the network, or set model_options.pretrained=no"
    )
