"""Charts of a data set."""

from __future__ import annotations

import plotly.graph_objects as go

from fer_core.ui.figures.layout import empty_figure, styled

#: One colour per part of the split; the class names are on the axis.
PART_COLOURS = {"train": "#5b6ee1", "validation": "#e0a100", "test": "#2a9d8f"}
_ROW = 22
_FRAME = 90


def distribution_figure(counts_per_split: dict[str, dict[str, int]]) -> go.Figure:
    """Shares of each class within each part as lying bars, with the number of images beside them.

    counts_per_split: {part: {class: images}}. Shares and not counts make the length, so that a
    small validation part can be compared with a large training part.
    """
    parts = {part: counts for part, counts in counts_per_split.items() if sum(counts.values())}
    if not parts:
        return empty_figure("No labelled image: there is nothing to count.")
    classes = list(next(iter(parts.values())))
    largest = max(
        count / sum(counts.values()) for counts in parts.values() for count in counts.values()
    )
    figure = go.Figure()
    for part, counts in parts.items():
        total = sum(counts.values())
        shares = [100 * counts[name] / total for name in classes]
        pairs = zip(classes, shares, strict=True)
        figure.add_bar(
            orientation="h",
            name=f"{part} ({total:,})",
            y=classes,
            x=shares,
            text=[f"{counts[name]:,} · {share:.1f} %" for name, share in pairs],
            textposition="outside",
            cliponaxis=False,
            marker_color=PART_COLOURS.get(part),
            hovertemplate="%{y}: %{text}<extra>" + part + "</extra>",
        )
    styled(
        figure,
        height=_FRAME + len(classes) * (len(parts) * _ROW + 10),
        barmode="group",
        bargap=0.25,
        bargroupgap=0.05,
        legend_traceorder="normal",
    )
    # classes may be called 1, 2 and 7, which Plotly would take for numbers
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    # room on the right for the longest label, on a telephone too
    figure.update_xaxes(title_text="share of the part, %", range=[0, 100 * largest * 1.6])
    return figure
