"""Charts of runs under one budget: validation curves along what was spent, differences by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fer_core.ui.figures.layout import TEXT, empty_figure, styled

#: What is drawn → (title, axis format, hover format).
_QUANTITIES = {
    "accuracy": ("Validation accuracy", ".0%", ".1%"),
    "loss": ("Validation loss", None, ".3f"),
}
_AXIS_TITLES = {
    "epochs": "epochs",
    "updates": "updates",
    "seconds": "seconds of training",
}
_HEIGHT = 320
_LAST_WITH_MARKERS = 40
_ROW_HEIGHT = 38
_BAR_SHADES = {"clear": 1.0, "noise": 0.38}

#: One run: where each epoch ended on the axis, and the lines of epochs.jsonl.
Curve = tuple[Sequence[float], Sequence[Mapping[str, Any]]]


#: Characters of a run's name below a chart; of a longer one the end says more than the beginning.
_LONGEST_NAME = 20


def budget_figure(
    curves: Mapping[str, Curve],
    quantity: str,
    axis: str,
    colours: Mapping[str, str],
    budget: float | None = None,
) -> go.Figure:
    """Validation curves over each other. quantity: "accuracy" or "loss"; axis: what x counts.

    budget: where the common budget ends on this axis; a dotted line there.
    """
    title, axis_format, hover = _QUANTITIES[quantity]
    drawn = {name: curve for name, curve in curves.items() if len(curve[0])}
    if not drawn:
        return empty_figure(f"{title}: starts after the first epoch.", _HEIGHT)
    figure = go.Figure()
    for name, (places, epochs) in drawn.items():
        figure.add_trace(
            go.Scatter(
                x=list(places),
                y=[epoch.get(f"validation_{quantity}") for epoch in epochs],
                name=name,
                mode="lines+markers" if len(places) <= _LAST_WITH_MARKERS else "lines",
                line={"color": colours[name], "width": 2.2},
                marker={"size": 6},
                customdata=[epoch["epoch"] for epoch in epochs],
                hovertemplate=(
                    f"{name}: %{{y:{hover}}}<extra>%{{x:,.4~r}} {axis}, epoch %{{customdata}}"
                    "</extra>"
                ),
                showlegend=False,
            )
        )
    longest = max(curve[0][-1] for curve in drawn.values())
    if quantity == "accuracy" and _span(drawn, f"validation_{quantity}") < 0.05:
        axis_format = ".1%"  # or neighbouring ticks would read alike
    end = max(longest, budget or 0.0)
    if budget:
        figure.add_vline(budget, line={"color": TEXT, "width": 1, "dash": "dot"})
    figure = styled(figure, title, _HEIGHT, hovermode="closest", margin={"t": 40})
    figure.update_xaxes(title=_AXIS_TITLES[axis], range=[0, end * 1.04], tickformat=",~r")
    if axis == "epochs" and end <= 12:
        figure.update_xaxes(dtick=1)
    return figure.update_yaxes(tickformat=axis_format)


def _span(curves: Mapping[str, Curve], figure: str) -> float:
    values = [epoch.get(figure) or 0.0 for _, epochs in curves.values() for epoch in epochs]
    return max(values) - min(values)


def class_figure(
    classes: Sequence[str],
    differences: Sequence[float],
    clear: Sequence[bool | None],
    names: tuple[str, str],
    colours: tuple[str, str],
    measure: str,
) -> go.Figure:
    """Diverging bars, one per class: to the right the first run is better, to the left the second.

    differences: fractions, first minus second. clear: False is drawn pale, as noise; None is not
    tested.
    """
    points = [100 * value for value in differences]
    shades = [_BAR_SHADES["noise" if known is False else "clear"] for known in clear]
    figure = go.Figure(
        go.Bar(
            x=points,
            y=list(classes),
            orientation="h",
            marker={
                "color": [colours[0] if value >= 0 else colours[1] for value in points],
                "opacity": shades,
            },
            text=[_signed(value) for value in points],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
        )
    )
    first, second = (_short(name) for name in names)
    # Long names below each other: side by side a phone would cut both.
    between = "<br>" if len(first) + len(second) > 24 else " · "
    widest = max([5.0, *(abs(value) for value in points)]) * 1.4
    figure = styled(
        figure,
        f"{measure}, difference in points",
        92 + _ROW_HEIGHT * len(classes) + (20 if between == "<br>" else 0),
        margin={"t": 44},
        bargap=0.35,
    )
    figure.update_xaxes(
        range=[-widest, widest],
        title=f"← {second} better{between}{first} better →",
        zeroline=True,
        zerolinecolor=TEXT,
    )
    return figure.update_yaxes(autorange="reversed", showgrid=False, type="category")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def _signed(points: float) -> str:
    text = f"{points:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text
