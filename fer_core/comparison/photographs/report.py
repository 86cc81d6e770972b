"""The page results/photographs.md, written from what the study found."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fer_core.comparison.photographs.conditions import HEIGHT, LARGE, WIDTH
from fer_core.comparison.photographs.study import Outcome
from fer_core.comparison.sweeps.document import TableDocument, to_markdown
from fer_core.comparison.wording import percent, points_range, signed_points

_TITLE = "Faces in photographs"


def photographs_document(outcomes: Sequence[Outcome], title: str = _TITLE) -> TableDocument:
    """A row per condition and size, as Markdown, CSV or LaTeX."""
    asked = any(outcome.found_usual is not None for outcome in outcomes)
    heads = ("condition", "face, pixels", "pasted", "found")
    heads += ("found by MTCNN",) if asked else ()
    heads += ("accuracy of the found", "the same as cut", "lost, points", "95 % interval")
    plain = ("condition", "size", "pasted", "found", "found_usual", "accuracy", "as_cut")
    plain += ("lost", "lost_low", "lost_high")
    return TableDocument(
        title=title,
        headers=heads,
        rows=tuple(_cells(outcome, asked) for outcome in outcomes),
        plain_headers=plain,
        plain_rows=tuple(
            (
                outcome.condition,
                outcome.size,
                outcome.pasted,
                outcome.found,
                outcome.found_usual,
                outcome.accuracy,
                outcome.as_cut,
                *outcome.loss,
            )
            for outcome in outcomes
        ),
        numbers=frozenset(range(1, len(heads))),
    )


def photographs_page(outcomes: Sequence[Outcome], made_by: str, enlarged: int = 1) -> str:
    """The pooled rows first, then every size. made_by: command, model, data, commit, machine.
    enlarged: as in `study_photographs`."""
    pooled = [one for one in outcomes if not one.size.isdigit()]
    single = [one for one in outcomes if one.size.isdigit()]
    size = f"{WIDTH * enlarged} x {HEIGHT * enlarged}"
    parts = [
        f"# {_TITLE}",
        f"Labelled faces pasted into photographs of {size} pixels, found by the detector, aligned "
        "and classified; beside them the same faces as the set has them. *Lost* is how much less "
        "accurate the model is on the found faces; its interval is that of a bootstrap over the "
        "faces. These are pasted faces, not labelled photographs.",
        made_by,
    ]
    if pooled:
        title = f"Faces of {LARGE} pixels and more, all sizes together"
        parts.append(to_markdown(photographs_document(pooled, title)))
    parts.append(to_markdown(photographs_document(single, "Every size")))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _cells(outcome: Outcome, asked: bool) -> tuple[str, ...]:
    cells = [outcome.condition, outcome.size, f"{outcome.pasted:,}"]
    cells.append(percent(outcome.found / outcome.pasted))
    if asked:
        usual = outcome.found_usual
        cells.append("–" if usual is None else percent(usual / outcome.pasted))
    if math.isnan(outcome.accuracy):
        return (*cells, "–", "–", "–", "–")
    lost, low, high = outcome.loss
    return (
        *cells,
        percent(outcome.accuracy),
        percent(outcome.as_cut),
        signed_points(lost),
        "–" if math.isnan(low) else points_range((low, high)),
    )
