"""The ceiling on a chart of accuracies: a band from one agreement among people to another."""

from __future__ import annotations

import plotly.graph_objects as go

from fer_core.ui.figures.layout import TEXT

#: (low, high, label): edges on the axis of accuracies (fractions), and what stands at the band.
Band = tuple[float, float, str]
BAND_NOTE = (
    "A green band, where there is one, lies between the shares of these test faces on which eight "
    "and on which six of ten people chose the same expression."
)
_FILL = "rgba(42, 157, 143, 0.13)"
_EDGE = "rgba(42, 157, 143, 0.55)"


def with_band(figure: go.Figure, band: Band | None) -> go.Figure:
    """`figure` with the band behind its points; unchanged without one."""
    if band is None:
        return figure
    low, high, label = band
    figure.add_hrect(
        y0=low, y1=high, fillcolor=_FILL, line_width=0, layer="below",
        label={"text": label, "textposition": "top left", "font": {"size": 11, "color": TEXT}},
    )  # fmt: skip
    for edge in (low, high):
        figure.add_hline(edge, line={"color": _EDGE, "width": 1, "dash": "dot"}, layer="below")
    return figure
