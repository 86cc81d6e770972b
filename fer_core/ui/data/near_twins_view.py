"""Near twins in the Data tab: what was found, as cards and pairs of pictures. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fer_core.comparison.wording import whole_percent
from fer_core.data.faces import UNLABELLED, Faces
from fer_core.data.near_twins import NEAR, MostAlike
from fer_core.data.split import Split
from fer_core.ui.shared.cards import card, cards
from fer_core.ui.shared.face_grid import GridFace, face_grid

PAIRS = 24
_GAP = 3  # pixels between the two pictures of a pair
_WHITE = 255


def near_twins_html(
    faces: Faces, split: Split, found: Mapping[str, MostAlike], seed: int = 0
) -> str:
    """Cards for the parts and one for labels that differ, and a draw of pairs under them.

    found: what `alike_in_training` found.
    """
    shown = [_part_card(part, alike) for part, alike in found.items()]
    if not shown:
        return '<p class="note">This set has no second part to compare with training.</p>'
    pairs = [
        (part, int(row), int(split.train[other]), float(likeness))
        for part, alike in found.items()
        for row, other, likeness in zip(
            getattr(split, part)[alike.near],
            alike.row[alike.near],
            alike.likeness[alike.near],
            strict=True,
        )
    ]
    differ = [pair for pair in pairs if faces.labels[pair[1]] != faces.labels[pair[2]]]
    shown.append(
        card(
            len(differ),
            "of all these have another label than their near twin",
            "Mostly one photograph labelled in two ways, which limits what any model can reach.",
            warn=bool(differ),
        )
    )
    order = np.random.default_rng(seed).permutation(len(pairs))[:PAIRS]
    grid = face_grid(
        [_pair(faces, *pairs[place]) for place in order],
        "No image of validation or test is that like a training image "
        f"({whole_percent(NEAR)} or more).",
    )
    how = (
        '<p class="note">Left the image, right the training image that is most like it '
        f"(a draw of up to {PAIRS}); the figure is the correlation of their grey values.</p>"
        if pairs
        else ""
    )
    return f'{cards(shown)}{how}<div class="pairs">{grid}</div>'


def _part_card(part: str, alike: MostAlike) -> str:
    near, images = int(alike.near.sum()), len(alike.near)
    return card(
        near,
        f"{part} images have a near twin in training ({whole_percent(near / images)})",
        "Exact twins are among them. Mostly the same photograph in another crop or quality; a few "
        "are strangers who look alike. A model that learned training by heart knows these, which "
        "is no help on new pictures."
        if near
        else f"None of the {images:,} is {whole_percent(NEAR)} like a training image.",
        warn=bool(near),
    )


def _pair(faces: Faces, part: str, row: int, other: int, likeness: float) -> GridFace:
    left, right = faces.images[row], faces.images[other]
    gap = np.full((left.shape[0], _GAP, left.shape[2]), _WHITE, dtype=np.uint8)
    mine, theirs = _label(faces, row), _label(faces, other)
    return GridFace(
        np.concatenate([left, gap, right], axis=1),
        mine if mine == theirs else f"{mine} | {theirs}",
        f"{part} · {whole_percent(likeness)} alike",
        "",
        f"a face of {part} labelled {mine} beside a training face labelled {theirs}",
    )


def _label(faces: Faces, row: int) -> str:
    label = int(faces.labels[row])
    return "unlabelled" if label == UNLABELLED else faces.class_names[label]
