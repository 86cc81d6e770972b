"""The table of how accuracy depends on likeness to a training face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_core.comparison.likeness.measure import Band
from fer_core.comparison.sweeps.document import TableDocument
from fer_core.comparison.wording import percent
from fer_core.data.near_twins import NEAR, SIDE

TITLE = "Faces that resemble a training face"


def likeness_document(
    found: Sequence[Band], systems: list[str], part: str, set_name: str
) -> TableDocument:
    """One row for each of `bands`, one column for each system's accuracy; of one name, numbered."""
    columns = [
        f"{name} ({1 + systems[:place].count(name)})" if name in systems[:place] else name
        for place, name in enumerate(systems)
    ]
    heads = ("Likeness", "Faces", "Same label", *columns)
    rows = []
    for number, band in enumerate(found):
        figures = [band.same_label, *band.right]
        cells = ["–" if figure is None else percent(figure) for figure in figures]
        rows.append((_range(band, number >= len(found) - 2), f"{band.count:,}", *cells))
    plain = ("low", "high", "faces", "same_label", *columns)
    values = tuple(
        (
            *(band.low, None if np.isinf(band.high) else band.high, band.count, band.same_label),
            *band.right,
        )
        for band in found
    )
    notes = (
        f"Accuracy on the {part} part of {set_name}, by likeness to the most alike training face: "
        f"the correlation of the grey values at {SIDE} × {SIDE} pixels, upright or mirrored. Same "
        "label: how often that training face has the very label of the face, which is also what a "
        "program would reach that only looks it up.",
        f"From {NEAR:.2f} on they are near twins: mostly the same photograph, cropped or "
        "compressed in another way. A model that learned the training faces by heart is right "
        "about these, but no visitor's photograph will be one of them.",
    )
    bold = frozenset({len(found) - 2, len(found) - 1})
    return TableDocument(
        TITLE, heads, tuple(rows), plain, values, frozenset(range(1, len(heads))), bold, notes
    )


def _range(band: Band, whole: bool) -> str:
    if whole:
        return "all" if np.isinf(band.high) else f"without near twins (below {band.high:.2f})"
    if band.low < 0:
        return f"below {band.high:.2f}"
    if np.isinf(band.high):
        return f"{band.low:.2f} and more"
    return f"{band.low:.2f} to {band.high:.2f}"
