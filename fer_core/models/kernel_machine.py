"""A fitted support vector machine (RBF kernel) as a network, so that it is kept and used like one.

Enters: images float32 (B, C, S, S), normalised to 0..1, flattened channel by channel.
Leaves: scores (B, classes): scikit-learn's one-against-rest decision function times `scale`.
Every number is a frozen parameter; nothing here is trained by gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from fer_core.models.network import ModelError

#: What it is called among `MODELS`: the one model that is fitted at once, not trained by steps.
KERNEL_MODEL = "svm"


class KernelMachine(nn.Module):
    """What scikit-learn's SVC computes, for two or more classes.

    support: how many support vectors it holds. components: of a principal component analysis in
    front of it; 0 means that it sees the pixels.
    """

    def __init__(
        self, classes: int, channels: int, image_size: int, support: int, components: int = 0
    ) -> None:
        super().__init__()
        pixels = channels * image_size**2
        if support < 1:
            raise ModelError(
                f"svm holds the support vectors of a fitted machine, at least 1, got {support}; "
                "fit one with the recipe svm_rbf"
            )
        if not 0 <= components <= pixels:
            raise ModelError(
                f"svm: components must be 0 to {pixels:,}, the pixels of an image, got {components}"
            )
        self.components = components
        pairs = classes * (classes - 1) // 2
        self.support_vectors = _frozen(support, components or pixels)
        #: Row r: the weight of every support vector against the r-th other class.
        self.dual_coefficients = _frozen(classes - 1, support)
        self.intercepts = _frozen(pairs)
        self.gamma = _frozen()
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)
        #: Support vectors per class, in the order of the classes.
        self.register_buffer("support_counts", _spread(support, classes))
        if components:
            self.pixel_mean = _frozen(pixels)
            #: Whitening, where there is any, is in the rows already.
            self.projection = _frozen(components, pixels)

    @classmethod
    def from_sklearn(
        cls,
        svc: Any,
        pca: Any = None,
        *,
        channels: int = 1,
        image_size: int = 48,
        scale: float = 1.0,
    ) -> KernelMachine:
        """The same machine as a fitted `SVC(kernel="rbf")`, after a fitted `PCA` if there is one.

        Its classes must be 0, 1, … without a gap, in the order of the class names. Its argmax is
        that of `SVC(break_ties=True).predict`; without it, scikit-learn takes the first of the
        classes with equally many votes.
        """
        classes = len(svc.classes_)
        if svc.kernel != "rbf" or not np.array_equal(svc.classes_, np.arange(classes)):
            raise ModelError(
                "a kernel machine is made from an SVC with kernel 'rbf' and the classes 0, 1, … "
                f"without a gap, got kernel {svc.kernel!r} and classes {list(svc.classes_)}; "
                "leave out classes that have no image"
            )
        support, width = svc.support_vectors_.shape
        components = 0 if pca is None else pca.n_components_
        machine = cls(classes, channels, image_size, support, components)
        if width != machine.support_vectors.shape[1]:
            raise ModelError(
                f"the machine was fitted on {width} values per image, but {channels} channels of "
                f"{image_size} px (components: {components}) are {machine.support_vectors.shape[1]}"
            )
        values = {
            "support_vectors": svc.support_vectors_,
            "dual_coefficients": svc.dual_coef_,
            "intercepts": svc.intercept_,
            "gamma": svc._gamma,  # the number behind gamma="scale"; there is no public name for it
            "scale": scale,
            "support_counts": svc.n_support_,
        }
        if pca is not None:
            rows = pca.components_
            if pca.whiten:
                rows = rows / np.sqrt(pca.explained_variance_)[:, None]
            values |= {"pixel_mean": pca.mean_, "projection": rows}
        machine.load_state_dict(
            {
                name: torch.as_tensor(np.array(value, dtype=_number_type(name)))
                for name, value in values.items()
            }
        )
        return machine

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        with torch.autocast(images.device.type, enabled=False):  # distances need every digit
            return self._scores(images.float().flatten(1))

    def _scores(self, points: torch.Tensor) -> torch.Tensor:
        if self.components:
            points = (points - self.pixel_mean) @ self.projection.T  # (B, components)
        vectors = self.support_vectors
        squares = points.square().sum(1, keepdim=True) + vectors.square().sum(1)
        distances = (squares - 2 * points @ vectors.T).clamp_min(0)  # (B, support), squared
        kernel = torch.exp(-self.gamma * distances)
        groups = zip(
            kernel.split(self.support_counts.tolist(), dim=1),
            self.dual_coefficients.split(self.support_counts.tolist(), dim=1),
            strict=True,
        )
        # votes[c][:, r]: what the support vectors of class c say against the r-th other class
        votes = [part @ weights.T for part, weights in groups]
        classes = len(votes)
        decisions = [
            votes[first][:, second - 1] + votes[second][:, first]
            for first in range(classes)
            for second in range(first + 1, classes)
        ]
        pairs = torch.stack(decisions, dim=1) + self.intercepts  # (B, pairs)
        if classes == 2:  # scikit-learn turns the sign of two classes: above 0 is the second
            return self.scale * torch.cat((-pairs, pairs), dim=1)
        return self.scale * _one_against_rest(pairs, classes)


def _one_against_rest(pairs: torch.Tensor, classes: int) -> torch.Tensor:
    """Votes of the pairs plus their confidences squashed into ±1/3, as in
    sklearn.utils.multiclass._ovr_decision_function. (B, pairs) → (B, classes)."""
    votes = pairs.new_zeros(len(pairs), classes)
    confidences = torch.zeros_like(votes)
    place = 0
    for first in range(classes):
        for second in range(first + 1, classes):
            decision = pairs[:, place]
            confidences[:, first] += decision
            confidences[:, second] -= decision
            votes[:, first] += decision >= 0
            votes[:, second] += decision < 0
            place += 1
    return votes + confidences / (3 * (confidences.abs() + 1))


def _frozen(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape), requires_grad=False)


def _spread(support: int, classes: int) -> torch.Tensor:
    """`support` vectors over the classes, until a fitted machine says how many each has."""
    counts = torch.full((classes,), support // classes)
    counts[: support % classes] += 1
    return counts


def _number_type(name: str) -> str:
    return "int64" if name == "support_counts" else "float32"
