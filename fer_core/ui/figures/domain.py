"""Charts of a new domain: what fine-tuning changed for every expression."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from fer_core.ui.figures.layout import ACCENT, GRID, SECOND, styled


def change_figure(
    class_names: Sequence[str], before: Sequence[float], after: Sequence[float], title: str = ""
) -> go.Figure:
    """One line per expression from the share named right before to the one after, as fractions."""
    names = list(class_names)
    figure = go.Figure()
    for name, low, high in zip(names, before, after, strict=True):
        figure.add_shape(
            type="line", x0=low, x1=high, y0=name, y1=name, line={"color": GRID, "width": 5}
        )
    for side, shares, colour in (("before", before, SECOND), ("after", after, ACCENT)):
        figure.add_trace(
            go.Scatter(
                x=list(shares),
                y=names,
                name=side,
                mode="markers",
                marker={"color": colour, "size": 12},
                hovertemplate=f"%{{y}}, {side}: %{{x:.1%}}<extra></extra>",
            )
        )
    figure = styled(figure, title, height=max(240, 110 + 34 * len(names)))
    figure.update_xaxes(range=[-0.03, 1.03], tickformat=".0%", title="named right")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure
