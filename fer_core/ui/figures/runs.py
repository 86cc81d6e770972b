"""Charts of runs: the curves of one run, several runs over each other, the confusion matrix.

What enters are the epochs of `epochs.jsonl` and plain arrays; what leaves are Plotly figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer_core.ui.figures.band import Band, with_band
from fer_core.ui.figures.layout import ACCENT, SECOND, TEXT, empty_figure, styled

#: One colour per run, in the order in which runs are chosen.
RUN_COLOURS = (
    "#5b6ee1",
    "#e8743b",
    "#2a9d8f",
    "#c8509b",
    "#b8860b",
    "#7d8597",
    "#d1495b",
    "#4a90d9",
)
#: What is drawn → (title, y-axis format, hover format).
_QUANTITIES = {
    "loss": ("Loss", None, ".3f"),
    "accuracy": ("Accuracy", ".3~p", ".1%"),
}
_HEIGHT = 300
_LAST_WITH_MARKERS = 40
#: Colours of the confusion matrix, with a step in the middle: on a half-strong blue neither grey
#: text nor white text could be read.
_WHITE_ABOVE = 0.42
_CONFUSION_SCALE = [
    [0, "rgba(91,110,225,0.05)"],
    [_WHITE_ABOVE, "rgba(91,110,225,0.24)"],
    [_WHITE_ABOVE + 1e-4, "rgba(80,98,214,0.78)"],
    [1, "rgba(63,79,192,1)"],
]

Epochs = Sequence[Mapping[str, Any]]


def training_figure(
    epochs: Epochs, quantity: str, best_epoch: int | None = None, band: Band | None = None
) -> go.Figure:
    """Training and validation curve of one run. quantity: "loss" or "accuracy".

    best_epoch: 1-based; marked where given. band: drawn behind a chart of accuracies.
    """
    title = _QUANTITIES[quantity][0]
    if not epochs:
        return empty_figure(f"{title} curves start after the first epoch.", _HEIGHT)
    figure = go.Figure()
    for part, colour in (("train", ACCENT), ("validation", SECOND)):
        name = "training" if part == "train" else part
        figure.add_trace(_curve(epochs, part, quantity, name, colour))
    if best_epoch is not None:
        figure.add_vline(best_epoch, line={"color": TEXT, "width": 1, "dash": "dot"})
        above = quantity == "loss"  # where its curves are not: losses end low, accuracies high
        figure.add_annotation(
            text=f"best: {best_epoch}",
            x=best_epoch,
            y=1 if above else 0,
            yref="paper",
            yanchor="top" if above else "bottom",
            yshift=-16 if above else 0,  # below the names of phases
            xanchor="right" if best_epoch > 1 else "left",
            xshift=-4 if best_epoch > 1 else 4,
            showarrow=False,
            font={"size": 11},
        )
    _draw_phase_borders(figure, epochs)
    figure = _with_axes(figure, quantity, len(epochs))
    return with_band(figure, band if quantity == "accuracy" else None)


def _draw_phase_borders(figure: go.Figure, epochs: Epochs) -> None:
    """A line where a phase of the run begins, with its learning rate."""
    for before, after in pairwise(epochs):
        if after.get("phase", 1) == before.get("phase", 1):
            continue
        border = (before["epoch"] + after["epoch"]) / 2
        figure.add_vline(border, line={"color": TEXT, "width": 1, "dash": "dash"})
        figure.add_annotation(
            text=f"phase {after['phase']}, rate {after.get('learning_rate', 0):g}",
            x=border,
            y=1,
            yref="paper",
            yanchor="top",
            xanchor="left",
            xshift=4,
            showarrow=False,
            font={"size": 11},
        )


def comparison_figure(
    runs: Mapping[str, Epochs], quantity: str, band: Band | None = None
) -> go.Figure:
    """Curves of several runs: one colour each, training dotted, validation solid.

    Without a legend: `run_colours` says which run is which, once for several charts. band: drawn
    behind a chart of accuracies.
    """
    title = _QUANTITIES[quantity][0]
    if not any(runs.values()):
        return empty_figure(f"{title}: choose runs that have finished an epoch.", _HEIGHT)
    figure = go.Figure()
    colours = run_colours(list(runs))
    for run, epochs in runs.items():
        colour = colours[run]
        for part, dash in (("validation", "solid"), ("train", "dot")):
            if not epochs:
                continue
            name = f"{run} · {'training' if part == 'train' else part}"
            curve = _curve(epochs, part, quantity, name, colour)
            curve.update(
                line={"dash": dash, "width": 2.2 if dash == "solid" else 1.6},
                name=run,
                showlegend=False,
            )
            figure.add_trace(curve)
    longest = max(len(epochs) for epochs in runs.values())
    figure = _with_axes(figure, quantity, longest)
    figure = with_band(figure, band if quantity == "accuracy" else None)
    return figure.update_layout(hovermode="closest", margin={"t": 40})


def run_colours(names: Sequence[str]) -> dict[str, str]:
    """Name → hex colour of its curves; after eight runs colours come again."""
    return {name: RUN_COLOURS[place % len(RUN_COLOURS)] for place, name in enumerate(names)}


def _curve(epochs: Epochs, part: str, quantity: str, name: str, colour: str) -> go.Scatter:
    hover = _QUANTITIES[quantity][2]
    return go.Scatter(
        x=[epoch["epoch"] for epoch in epochs],
        y=[epoch.get(f"{part}_{quantity}") for epoch in epochs],
        name=name,
        mode="lines+markers" if len(epochs) <= _LAST_WITH_MARKERS else "lines",
        line={"color": colour, "width": 2.2},
        marker={"size": 5},
        hovertemplate=f"{name}: %{{y:{hover}}}<extra>epoch %{{x}}</extra>",
    )


def _with_axes(figure: go.Figure, quantity: str, longest: int) -> go.Figure:
    title, axis_format, _ = _QUANTITIES[quantity]
    figure = styled(figure, title, _HEIGHT, hovermode="x")
    every = 1 if longest <= 12 else None  # whole epochs only
    # Room for two epochs at least: a single point on an automatic axis shows fractions of epochs.
    edge = max(0.5, longest * 0.02)
    figure.update_xaxes(
        title="epoch", tickformat=",d", dtick=every, range=[1 - edge, max(2, longest) + edge]
    )
    figure.update_yaxes(tickformat=axis_format)
    return figure


def confusion_figure(
    confusion: Sequence[Sequence[int]], class_names: Sequence[str], shares: bool
) -> go.Figure:
    """Heat map of a confusion matrix, rows true, columns predicted.

    confusion: (classes, classes) counts. shares: show each row as shares of its true class.
    """
    counts = np.asarray(confusion, dtype=float)  # (true, predicted)
    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    shown = share if shares else counts
    # a share has the same colour in every run, or one at chance would look as sure as a good one
    full = 1.0 if shares else max(shown.max(), 1e-9)
    strength = shown / full
    names = list(class_names)
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            zmin=0,
            zmax=full,
            x=names,
            y=names,
            colorscale=_CONFUSION_SCALE,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=np.dstack([counts, share]),
            hovertemplate=(
                "true %{y} → predicted %{x}<br>%{customdata[0]:,.0f} images, "
                "%{customdata[1]:.1%} of this row<extra></extra>"
            ),
        )
    )
    cells = [(row, column) for row in range(len(names)) for column in range(len(names))]
    texts = [f"{100 * shown[cell]:.0f} %" if shares else f"{shown[cell]:,.0f}" for cell in cells]
    if shares:  # a class without an image has no share that is named right, not even none
        texts = [text if rows[row] else "–" for text, (row, _) in zip(texts, cells, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=[names[column] for _, column in cells],
            y=[names[row] for row, _ in cells],
            text=texts,
            mode="text",
            textfont={
                "color": ["#ffffff" if strength[cell] > _WHITE_ABOVE else TEXT for cell in cells],
                "size": 12,
            },
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure = styled(figure, height=max(300, 90 + 42 * len(names)))
    figure.update_layout(margin={"t": 8})
    figure.update_xaxes(title="predicted", showgrid=False, type="category")
    figure.update_yaxes(title="true", showgrid=False, autorange="reversed", type="category")
    return figure
