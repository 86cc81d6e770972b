"""The one Plotly layout of the project: transparent, readable on light and dark pages."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

#: The type of a chart, for modules that pass one on without drawing.
Figure = go.Figure

#: The grey of small text on a light page. No grey has enough contrast on a dark page as well, so
#: `theme.CSS` gives text of this very colour a lighter one there.
TEXT = "#64748b"
GRID = "rgba(128, 140, 155, 0.25)"
#: Two lines that belong together, such as training and validation.
ACCENT = "#5b6ee1"
SECOND = "#e8743b"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def styled(figure: go.Figure, title: str = "", height: int = 320, **layout: Any) -> go.Figure:
    """`figure` with the project's layout; `height` in pixels is fixed so that the page never jumps.

    `layout` goes to `update_layout` last, so a chart may still differ where it must.
    """
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "linecolor": GRID,
        "automargin": True,
        "title_standoff": 8,
    }
    figure.update_layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": TEXT},
        title={"text": title, "x": 0, "xref": "paper", "font": {"size": 15}} if title else None,
        margin={"l": 8, "r": 12, "t": 64 if title else 36, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        hoverlabel={"font": {"family": FONT}},
        dragmode=False,
        # few buttons and no plate behind them: on a phone, where they always show, they would
        # hide the title
        modebar={
            "bgcolor": "rgba(0,0,0,0)",
            "color": TEXT,
            "activecolor": ACCENT,
            "remove": ["select", "lasso", "zoomin", "zoomout", "autoscale"],
        },
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(**layout)
    return figure


def empty_figure(message: str, height: int = 320) -> go.Figure:
    """A chart with no data: one sentence that says what to do next."""
    figure = styled(go.Figure(), height=height)
    figure.add_annotation(text=message, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
