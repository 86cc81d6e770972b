"""What the network shall say of each training image: its label, or a share for every class.

Enters: a RunConfig and the data of its run. Leaves: float32 (M, classes) rows that sum to 1, or
None where the labels alone are the targets.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from fer_core.data.faces import DataError
from fer_core.data.votes import Votes, read_votes
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import RunData
from fer_core.training.teachers import Teachers

#: Half a vote of ten, so that the logarithm of an option that nobody chose is finite.
_SMALLEST_SHARE = 0.05


def training_targets(
    config: RunConfig,
    data: RunData,
    device: torch.device,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray | None:
    """Labels mixed with FER+ votes, then with teachers' stored answers, each where asked for.

    `teacher_share` of a row is what the teachers say of the image as the set has it. progress: of
    asking them, see `Teachers.stored_answers`.
    """
    targets = vote_targets(config, data)
    if not config.teachers or config.teacher_sees != "original":
        return targets
    names, rows = data.faces.class_names, data.split.train
    if targets is None:
        targets = np.eye(len(names), dtype=np.float32)[data.faces.labels[rows]]
    teachers = Teachers(config, data.preprocessing, names, device)
    share = np.float32(config.teacher_share)
    return (1 - share) * targets + share * teachers.stored_answers(
        data.faces.images[rows], data.faces.labels[rows], progress
    )


def vote_targets(config: RunConfig, data: RunData) -> np.ndarray | None:
    """The label's own 1 mixed with what FER+ says, for every image of the training part.

    `votes_share` of a row is what the taggers said (Barsoum et al., arXiv 1608.01041), read as
    `votes_read` tells, the rest its label; an image of which they said nothing to the purpose
    keeps its label alone. DataError when the source has no votes.
    """
    if not config.votes_share:
        return None
    rows = data.split.train
    votes = read_votes(config.data, data.faces.ids[rows])
    if votes is None:
        raise DataError(
            f"votes_share {config.votes_share:g} asks for FER+ votes and {data.faces.name} has "
            "none; put fer2013new.csv beside the csv, or set votes_share=0"
        )
    names, labels = data.faces.class_names, data.faces.labels[rows]
    if config.votes_read == "labels":
        said = likely_labels(votes, labels, len(names))
    else:
        said = shares(votes.mapped(config.class_map), names)
    targets = np.eye(len(names), dtype=np.float32)[labels]
    heard = said.sum(axis=1) > 0
    share = np.float32(config.votes_share)
    targets[heard] = (1 - share) * targets[heard] + share * said[heard]
    return targets


def shares(votes: Votes, class_names: tuple[str, ...]) -> np.ndarray:
    """float32 (N, classes): each class's share of the votes that name one of the classes.

    A row without such a vote is all 0.
    """
    counts = np.zeros((len(votes), len(class_names)), dtype=np.float32)
    for place, name in enumerate(class_names):
        if name in votes.options:
            counts[:, place] = votes.counts[:, votes.options.index(name)]
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)


def likely_labels(votes: Votes, labels: np.ndarray, classes: int) -> np.ndarray:
    """float32 (N, classes): how probable each label is for an image with such votes.

    Multinomial logistic regression of these images' labels int64 (N,) on the share of each option
    and its logarithm. The labels were given by other people with other habits than the votes
    (FER2013's name fewer faces neutral), so a vote is not a label; this says what it is worth as
    one, and far less than ten free numbers an image could memorise. An image without votes, and
    all of them where there are no two labels, have rows of 0.
    """
    said = np.zeros((len(votes), classes), dtype=np.float32)
    total = votes.counts.sum(axis=1, keepdims=True)
    heard = total[:, 0] > 0
    if len(np.unique(labels[heard])) < 2:
        return said
    parts = votes.counts[heard] / total[heard]
    features = np.concatenate((parts, np.log(parts + _SMALLEST_SHARE)), axis=1)
    model = LogisticRegression(C=10.0, max_iter=3000).fit(features, labels[heard])
    said[np.ix_(heard, model.classes_)] = model.predict_proba(features)
    return said
