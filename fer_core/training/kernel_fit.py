"""Support vector machines as a run like the others: one fit of scikit-learn, one "epoch".

What leaves is a `KernelMachine`, a torch module with the fitted vectors, so that scoring, the
checkpoint and prediction are those of every other network and nothing is ever unpickled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from sklearn.decomposition import PCA
from sklearn.svm import SVC
from torch import nn

from fer_core.data.batches import FaceTensor, plain_batches
from fer_core.models import KERNEL_MODEL, ModelError, build_model, find_network
from fer_core.models.kernel_machine import KernelMachine
from fer_core.models.network import check_options
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import RunData, prepare_part
from fer_core.training.epoch import EpochResult, OnStep, ShouldStop, Stopped
from fer_core.training.memory import free_memory
from fer_core.training.validation import predict_part, validation_scores

_LOOK_SECONDS = 0.2
#: Rows of the kernel matrix that are made at once: few enough to stay in the processor's cache.
_GRAM_ROWS = 64


class KernelTraining:
    """The same face as `Training`, for a model that is fitted once and has no epochs."""

    NO_CURVE = (
        "fitting the support vector machine; it has no epochs, so there is no curve to watch, "
        "and after a stop it begins anew"
    )

    def __init__(self, config: RunConfig, data: RunData, device: torch.device) -> None:
        self.config, self.data, self.device = config, data, device
        self.classes = len(data.faces.class_names)
        self.options = check_options(
            KERNEL_MODEL, find_network(KERNEL_MODEL).options, config.model_options
        )
        gamma = self.options["gamma"]
        number = isinstance(gamma, int | float) and not isinstance(gamma, bool)
        if gamma not in ("scale", "auto") and not (number and gamma > 0):
            raise ModelError(f"svm: gamma must be scale, auto or a number above 0, got {gamma!r}")
        self.validation_part = FaceTensor.of(data.faces, data.split.validation, device)
        images, labels, rows = prepare_part(config, data)
        _check_classes(labels, data.faces.class_names)  # a fit of minutes would end in an error
        self.train_part = FaceTensor(images, labels, device)
        self.preparations = {1: rows} if rows else {}
        self.views = None
        self.machine: KernelMachine | None = None
        self.model_options: dict[str, Any] = {}
        self.epoch = self.updates = self.images_seen = self.best_epoch = self.steps = 0
        self.train_seconds = 0.0

    @property
    def deployed(self) -> nn.Module:
        if self.machine is None:
            raise ModelError("the support vector machine is not fitted yet")
        return self.machine

    def images_to_go(self) -> int:
        return 0

    def epochs(
        self,
        on_step: OnStep = lambda step, images: None,
        should_stop: ShouldStop = lambda: False,
    ) -> Iterator[EpochResult]:
        """Fit, and yield the one result. Raises Stopped when a stop is asked for meanwhile."""
        if self.epoch:
            return
        begin = time.perf_counter()
        inputs, labels = self._pixels(self.train_part), self.train_part.labels.cpu().numpy()
        self.machine = _watched(lambda: self._fit(inputs, labels), on_step, should_stop)
        self.model_options = {
            "support": len(self.machine.support_vectors),
            "components": self.machine.components,
        }
        self.train_seconds = time.perf_counter() - begin
        self._scale_scores()
        truth = self.data.faces.labels[self.data.split.validation]
        scores = validation_scores(self.predict(self.validation_part), truth)
        own = validation_scores(self.predict(self.train_part), labels)
        self.epoch = self.best_epoch = 1
        self.images_seen = len(labels)
        yield EpochResult(
            epoch=1,
            train_loss=own["validation_loss"],
            train_accuracy=own["validation_accuracy"],
            **scores,
            learning_rate=0.0,
            seconds=time.perf_counter() - begin,
            images_per_second=len(labels) / self.train_seconds,
            improved=True,
            images_seen=len(labels),
            train_seconds=self.train_seconds,
        )

    def _pixels(self, part: FaceTensor) -> np.ndarray:
        """float32 (N, C·S·S): the network input of every image as one row."""
        batches = plain_batches(part, self.data.preprocessing, 512)
        return np.concatenate([batch.images.flatten(1).cpu().numpy() for batch in batches])

    def _fit(self, inputs: np.ndarray, labels: np.ndarray) -> KernelMachine:
        pca = None
        if components := self.options["components"]:
            pca = PCA(components, whiten=self.options["whiten"], random_state=self.config.seed)
            inputs = pca.fit_transform(inputs)
        cost, gamma = self.options["C"], self.options["gamma"]
        if self.options["gram"] and _gram_fits(len(inputs)):
            machine = _fit_gram(inputs, labels, cost, gamma, self.device)
        else:
            machine = SVC(C=cost, gamma=gamma, cache_size=2000).fit(inputs, labels)
        pre = self.data.preprocessing
        return KernelMachine.from_sklearn(
            machine, pca, channels=pre.channels, image_size=pre.image_size
        ).to(self.device)

    def _scale_scores(self) -> None:
        """Choose the factor on the scores that makes the validation loss least."""
        machine = self.deployed
        raw = torch.from_numpy(np.log(np.clip(self.predict(self.validation_part), 1e-30, None)))
        truth = torch.from_numpy(self.data.faces.labels[self.data.split.validation])

        def loss(log_factor: float) -> float:
            scores = raw.double() * float(np.exp(log_factor))
            return float(nn.functional.cross_entropy(scores, truth))

        found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded")
        with torch.no_grad():
            machine.scale.mul_(float(np.exp(found.x)))

    def predict(self, part: FaceTensor) -> np.ndarray:
        """float32 (N, classes) probabilities, in stored order."""
        return predict_part(self.deployed, part, self.data.preprocessing, self.classes)

    def state_dict(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "train_seconds": self.train_seconds,
            "options": self.model_options,
            "model": self.deployed.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], should_stop: ShouldStop = bool) -> None:
        self.model_options = dict(state["options"])
        pre = self.data.preprocessing
        self.machine = build_model(
            KERNEL_MODEL, self.classes, pre.channels, pre.image_size, self.model_options
        ).to(self.device)
        self.machine.load_state_dict(state["model"])
        self.epoch = self.best_epoch = state["epoch"]
        self.images_seen, self.train_seconds = len(self.train_part), state["train_seconds"]


def _check_classes(labels: np.ndarray, class_names: Sequence[str]) -> None:
    """ModelError for a class without a training image, of which a fitted machine knows nothing."""
    counts = np.bincount(labels, minlength=len(class_names))
    missing = [name for name, count in zip(class_names, counts, strict=True) if not count]
    if missing:
        raise ModelError(
            "a support vector machine needs images of every class, and training has none of "
            f"{', '.join(missing)}; leave out what has none (classes_left_out)"
        )


def _gram_fits(images: int) -> bool:
    """Whether the kernel matrix of so many images leaves half of the free memory to others."""
    free = free_memory()
    return free is None or 8 * images**2 <= free / 2


def _fit_gram(
    inputs: np.ndarray, labels: np.ndarray, cost: float, gamma: str | float, device: torch.device
) -> Any:
    """The machine of `SVC(C=cost, gamma=gamma)`, from a kernel matrix made by multiplication.

    libsvm computes the kernel of two images one number after another; a matrix product does all
    of them at once. inputs: float (n, D). Needs 8 n² bytes. Returns what
    `KernelMachine.from_sklearn` reads of a fitted SVC.
    """
    if isinstance(gamma, str):
        spread = float(inputs.var()) if gamma == "scale" else 1.0
        gamma = 1.0 / (inputs.shape[1] * (spread or 1.0))
    points = torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float64)).to(device)
    squares, columns = points.square().sum(dim=1), points.T.contiguous()
    kernel = torch.empty(len(points), len(points), dtype=torch.float64)
    on_host = device.type == "cpu"
    for start in range(0, len(points), _GRAM_ROWS):
        rows = slice(start, start + _GRAM_ROWS)
        # written where it stays: a copy of 5 GB would cost more than the products
        part = kernel[rows] if on_host else torch.empty_like(kernel[rows], device=device)
        torch.addmm(squares, points[rows], columns, alpha=-2, out=part)  # (rows, n)
        part.add_(squares[rows, None]).clamp_min_(0).mul_(-gamma).exp_()
        if not on_host:
            kernel[rows] = part.cpu()
    fitted = SVC(C=cost, kernel="precomputed", cache_size=2000).fit(kernel.numpy(), labels)
    return SimpleNamespace(
        kernel="rbf",
        classes_=fitted.classes_,
        support_vectors_=inputs[fitted.support_],
        dual_coef_=fitted.dual_coef_,
        intercept_=fitted.intercept_,
        n_support_=fitted.n_support_,
        _gamma=gamma,
    )


def _watched(
    work: Callable[[], KernelMachine], on_step: OnStep, should_stop: ShouldStop
) -> KernelMachine:
    """The result of `work`, done beside this thread, which looks for a stop meanwhile.

    A fit cannot be interrupted; after a stop it goes on unheard until its process ends.
    """
    outcome: dict[str, Any] = {}

    def target() -> None:
        try:
            outcome["machine"] = work()
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK_SECONDS)
        if should_stop():
            raise Stopped
        on_step(0, 0)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["machine"]
