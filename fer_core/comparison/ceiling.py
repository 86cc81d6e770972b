"""How far people agree on the very faces that a model is scored on: the ceiling of its accuracy.

Enters: FER+ votes and labels of the same images. Leaves: shares, as fractions of these images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.data.faces import DataError, Faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.votes import Votes, has_votes, read_votes
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import read_run_faces, split_plan

TAGGERS = 10
#: The band on a chart of accuracies: agreement read strictly and read as any majority.
STRICT, MAJORITY = 8, 6
#: (low, high, label): edges as fractions of accuracy, and what stands at the band.
Band = tuple[float, float, str]


@dataclass(frozen=True)
class Ceiling:
    """Agreement of a face's taggers, over `images` faces with votes. All shares are fractions.

    at_least: {k: share of faces for which at least k taggers chose the same expression}, k from 10
    down to 5. Who said "unknown" or "not a face" agrees with nobody.
    unanimous: at_least[10], the faces on which all ten agree.
    majority_is_label: faces on which more than half of the taggers chose the set's own label.
    plurality_is_label: faces on which the label is the most chosen expression; where it shares that
    place with k - 1 others the face counts 1/k, as if the tie were broken by lot.
    tagger_is_label: mean share of a face's votes that the label got: how often one tagger, drawn by
    lot, would be scored as right.
    mean_top_share: mean share of a face's votes that its most chosen expression got: how often one
    tagger, drawn by lot, says what most say.
    """

    images: int
    at_least: dict[int, float]
    majority_is_label: float
    plurality_is_label: float
    tagger_is_label: float
    mean_top_share: float

    @property
    def unanimous(self) -> float:
        return self.at_least[TAGGERS]

    @property
    def band(self) -> Band:
        """From the share on which at least 8 of ten agree to that on which at least 6 do."""
        label = f"{STRICT} to {MAJORITY} of {TAGGERS} people agree"
        return self.at_least[STRICT], self.at_least[MAJORITY], label

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "images": self.images,
            "unanimous": self.unanimous,
            "at_least": {str(count): share for count, share in self.at_least.items()},
            "majority_is_label": self.majority_is_label,
            "plurality_is_label": self.plurality_is_label,
            "tagger_is_label": self.tagger_is_label,
            "mean_top_share": self.mean_top_share,
            "band": list(self.band[:2]),
        }


def ceiling(votes: Votes, labels: np.ndarray, class_names: tuple[str, ...]) -> Ceiling:
    """Agreement among the taggers and with the labels.

    labels: int64 (N,), places in class_names, of the images that `votes` has as its rows. Faces
    without any vote or without a label are left out. DataError when nothing is left.
    """
    if len(votes) != len(labels):
        raise DataError(
            f"votes and labels must be of the same images, got {len(votes):,} and {len(labels):,}"
        )
    cast = votes.counts.sum(axis=1)  # (N,) ten, seldom nine
    used = (cast > 0) & (labels >= 0)
    if not used.any():
        raise DataError("none of these images has both a label and votes; there is no ceiling")
    counts, cast, labels = votes.counts[used], cast[used], labels[used]
    expressions = counts * votes.expressions  # (N, options), 0 for what is no expression
    most = expressions.max(axis=1)  # (N,)
    positions = {name: place for place, name in enumerate(votes.options)}
    places = np.array([positions.get(name, -1) for name in class_names])[labels]
    for_label = np.where(places >= 0, counts[np.arange(len(counts)), places], 0)  # (N,)
    tied = (expressions == most[:, None]).sum(axis=1)
    first = (for_label == most) & (for_label > 0)
    return Ceiling(
        images=len(counts),
        at_least={
            count: float((most >= count).mean()) for count in range(TAGGERS, TAGGERS // 2 - 1, -1)
        },
        majority_is_label=float((2 * for_label > cast).mean()),
        plurality_is_label=float(np.where(first, 1 / tied, 0).mean()),
        tagger_is_label=float((for_label / cast).mean()),
        mean_top_share=float((most / cast).mean()),
    )


def ceiling_of(faces: Faces, plan: SplitPlan, part: str = "test") -> Ceiling | None:
    """The ceiling of one part of a set, split as `plan` says; None for a set without votes.

    part: "train", "validation", "test", or "all" for every labelled image.
    """
    if part == "all":
        indices = np.flatnonzero(faces.labels >= 0)
    else:
        indices = getattr(split_faces(faces, plan), part)
    votes = read_votes(faces.source, faces.ids[indices])
    if votes is None:
        return None
    return ceiling(votes, faces.labels[indices], faces.class_names)


def ceiling_of_run(
    config: RunConfig, data_folder: Path, known: Sequence[str] | None = None
) -> Ceiling | None:
    """The ceiling on a run's own test images, classes left out and merged as in the run.

    data_folder: where a set is looked for whose path no longer holds, as in a shipped checkpoint.
    known: the run's classes, which tell those of what it started from where that is gone. None when
    the set is gone or has no votes, or the test part is empty.
    """
    source = config.data
    if not Path(source).exists():
        source = str(Path(data_folder) / Path(source).name)
    if not has_votes(source):
        return None
    try:
        faces = read_run_faces(replace(config, data=source), None, known)
        test = split_faces(faces, split_plan(config)).test
        votes = read_votes(source, faces.ids[test])
        if votes is None:
            return None
        return ceiling(votes.mapped(config.class_map), faces.labels[test], faces.class_names)
    except DataError:
        return None
