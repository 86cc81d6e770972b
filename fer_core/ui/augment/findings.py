"""Words and the table of the Augment tab's measurement. Knows no Gradio."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from fer_core.comparison.domains.label_changes import (
    TOGETHER,
    LabelChange,
    held_out_faces,
    label_changes,
    single_operations,
)
from fer_core.comparison.wording import percent
from fer_core.data.faces import DataError
from fer_core.data.policies import AugmentPolicy
from fer_core.runs.checkpoint import Checkpoint
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.plain import plain

#: Which changes keep the label and which may not; what a measurement then puts numbers to.
NOTE = """
A changed copy keeps the label of its face. That is right only as long as a viewer would still give
it that label:

- **Safe**: a *mirror image*, as an expression shown by both halves of the face stays the same (a
  one-sided smile changes sides and remains one). *Small rotations, shifts and zooms*, as people
  tilt and move their heads. *Mild light and colour changes*.
- **Large rotation**: in a face turned upside down, raised mouth corners point down, and people read
  expressions in such faces badly.
- **Vertical shift, crop, strong zoom**: what leaves the picture is gone. Without the mouth, *happy*
  and *disgust* lose what tells them best; without brows and eyes, *angry*, *fear* and *surprise*
  do.
- **Erasing**: the same where the rectangle falls on the mouth or the eyes. A covered smile may look
  *neutral*.
- **Strong blur or noise**: hides narrowed lids, a wrinkled nose and pressed lips first, and with
  them what tells *disgust*, *fear*, *angry* and *pain* apart.
- **Equalise, strong contrast**: deepen shadows, so that folds and brows look harder than they are.

Whether it matters for a model can be measured: each strength that is on is applied alone, to faces
of the set's validation and test parts, and the table counts how often the model changes its label.
"""
NOTHING_YET = (
    "Nothing measured yet. Choose a model and strengths above, then press the button; "
    "the faces come from the set of the Data tab."
)
_ALL_OFF = (
    "Every strength is 0, so there is nothing to measure. Move a slider or choose a ready policy."
)


def measured(
    judge: Checkpoint, choice: dict[str, Any], policy: AugmentPolicy, count: int, seed: int
) -> Iterator[tuple[list[LabelChange], int, str]]:
    """(results so far, how many there will be, name of the set), after each operation.

    Raises DataError when nothing is on, or the set has no face to measure on.
    """
    operations = single_operations(policy, judge.preprocessing.channels == 3)
    if not operations:
        raise DataError(_ALL_OFF)
    faces = open_sets.faces_at_once(choice["source"])
    indices = held_out_faces(faces, open_sets.plan_of(choice), count, seed)
    labels = [faces.class_names[label] for label in faces.labels[indices]]
    found: list[LabelChange] = []
    for result in label_changes(judge, faces.images[indices], labels, operations, seed):
        found.append(result)
        yield found, 1 + len(operations), faces.name


def findings_html(found: Sequence[LabelChange], model: str, data: str) -> str:
    """The table of what was measured, most harmful operation first, with a sentence about it."""
    plainly, *rest = found
    if not rest:
        return ""
    single = sorted(
        (row for row in rest if row.operation != TOGETHER), key=lambda row: -row.changed
    )
    together = [row for row in rest if row.operation == TOGETHER]
    rows = "".join(map(_row, single))
    foot = "".join(map(_row, together))
    return (
        f'<p class="verdict">{_verdict(plainly, single, model, data)}</p>'
        '<div class="plain-table"><table><thead><tr><th>applied alone</th>'
        "<th>other label</th><th>95 % interval</th><th>named rightly</th>"
        "<th>most frequent change</th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot>{foot}</tfoot></table></div>"
        '<p class="note verdict">Mirror image, autocontrast, equalise and erasing are applied to '
        "every face here, whatever their chance. A model changes its label easily where it was "
        "unsure before, so small shares are no alarm; whether a person would change it too, the "
        "pictures above tell.</p>"
    )


def _verdict(plainly: LabelChange, single: list[LabelChange], model: str, data: str) -> str:
    words = f"{html.escape(model)} on {plainly.faces:,} faces of {html.escape(data)}"
    if plainly.known:
        words += f": it names {percent(plainly.right / plainly.known)} of them rightly as they are"
    words += "."
    if len(single) > 1:
        most, least = single[0], single[-1]
        words += (
            f" Most labels change with <b>{html.escape(most.operation.lower())}</b> "
            f"({_percent(most.share)}), fewest with <b>{html.escape(least.operation.lower())}</b> "
            f"({_percent(least.share)})."
        )
    return words


def _row(row: LabelChange) -> str:
    low, high = row.interval
    rightly = _percent(row.right / row.known) if row.known else "–"
    change = "–"
    if row.commonest:
        first, second, faces = row.commonest
        change = f"{html.escape(first)} → {html.escape(second)} ({faces})"
    return (
        f'<tr><th scope="row">{html.escape(row.operation)}</th><td>{_percent(row.share)}</td>'
        f"<td>{100 * low:.1f} to {100 * high:.1f}</td><td>{rightly}</td><td>{change}</td></tr>"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def refusal(error: Exception) -> str:
    return f"**That could not be measured.** {plain(error)}"
