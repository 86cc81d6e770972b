"""Everything the Data tab shows of one set under one split, made in one go. Knows no Gradio."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fer_core.data.audit import Audit
from fer_core.data.faces import HELD_OUT, DataError, Faces
from fer_core.data.split import Split
from fer_core.ui.data import data_view as view
from fer_core.ui.figures.data import distribution_figure
from fer_core.ui.figures.layout import Figure
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.plain import plain


class SetView(NamedTuple):
    """Everything the tab shows of one set, in the order of its components."""

    summary: str
    chart: Figure
    table: str
    split: str
    twins: str
    gallery: str
    means: str
    unreadable: str


def view_set(
    choice: dict[str, Any],
    class_name: str = view.ANY_CLASS,
    part: str = view.ANY_PART,
    seed: int = 0,
    progress: open_sets.Progress | None = None,
) -> SetView:
    """Read, split and audit the set of a data choice; DataError when it cannot be read.

    A set that cannot be split is shown all the same, with the reason in place of the split.
    """
    faces = open_sets.open_faces(choice["source"], progress)
    split, audit, words = split_and_audit(faces, choice)
    return SetView(
        view.summary_text(faces, audit),
        distribution_figure(audit.counts_per_split or {"all": audit.counts}),
        view.counts_table(audit),
        words,
        view.twins_text(audit),
        view.gallery(faces, split, class_name, part, seed),
        view.mean_gallery(faces, open_sets.open_mean_faces(faces)),
        view.unreadable_list(faces),
    )


def split_and_audit(faces: Faces, choice: dict[str, Any]) -> tuple[Split, Audit, str]:
    plan = open_sets.plan_of(choice)
    try:
        split = open_sets.open_split(faces, plan)
    except DataError as error:
        nothing = np.zeros(0, dtype=np.int64)
        return (
            Split(nothing, nothing, nothing),
            open_sets.open_plain_audit(faces),
            f"No split yet: {plain(error)}",
        )
    return split, open_sets.open_audit(faces, plan), view.split_text(faces, split, choice["split"])


def shares_matter(faces: Faces, kind: str) -> dict[str, bool]:
    """Whether the share of "validation" and that of "test" decide anything under this split.

    The seed does where one of them does. A set's own split may have both parts, or lack one.
    """
    own: set[str] = set()
    if kind != "stratified" and faces.source_split is not None:
        own = set(np.unique(faces.source_split[faces.labels >= 0]))
    return {part: part not in own for part in HELD_OUT}


def with_split(
    choice: dict[str, Any], kind: str | None, validation: float, test: float, seed: float | None
) -> dict[str, Any]:
    """`choice` with another split; shares in percent as the sliders give them."""
    return {
        **choice,
        "split": kind or "source",
        "validation_share": validation / 100,
        "test_share": test / 100,
        "split_seed": int(seed or 0),
    }
