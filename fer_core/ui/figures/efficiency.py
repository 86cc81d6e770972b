"""Accuracy against cost: one point per model, the Pareto front as a line, people as a band."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.ui.figures.band import Band, with_band
from fer_core.ui.figures.layout import ACCENT, SECOND, TEXT, empty_figure, styled

#: Column of the efficiency table → (title of the axis, format in the hover).
AXES = {
    "gflops": ("GFLOPs of one forward pass", ",.4g"),
    "parameters": ("parameters", ",.0f"),
    "latency_ms": ("milliseconds for one image, here", ",.3g"),
    "batch_latency_ms": ("milliseconds per image in a batch of 32, here", ",.3g"),
}
HEIGHT = 420
_NAME_CHARACTERS = 24
_OTHER = {"right": "left", "left": "right"}
#: A line of text, as a share of the height of the chart.
_LINE_SHARE = 0.045


def accuracy_cost_figure(
    table: pd.DataFrame,
    front: Sequence[bool] | np.ndarray,
    cost: str,
    band: Band | None = None,
    closed: bool = False,
) -> go.Figure:
    """The models of an efficiency table whose cost is known, on a logarithmic axis of costs.

    front: bool per row, which are on the Pareto front. cost: a key of `AXES`. Whiskers are the 95 %
    interval of the accuracy. band: drawn behind the points. closed: nothing can be measured here.
    """
    title, number = AXES[cost]
    known = np.isfinite(table[cost].to_numpy(dtype=float)) & (table[cost].to_numpy() > 0)
    if not known.any():
        what = "“Measure latency”" if "latency" in cost else "a run in the Train tab"
        words = f"Not known yet for any of these models: start {what}."
        return empty_figure("Not measured on this published page." if closed else words, HEIGHT)
    shown, on_front = table[known], np.asarray(front, dtype=bool)[known]
    figure = go.Figure()
    line = shown[on_front].sort_values(cost)
    figure.add_scatter(
        x=line[cost],
        y=line["accuracy"],
        mode="lines",
        line={"color": SECOND, "width": 2, "dash": "dot"},
        name="Pareto front",
        hoverinfo="skip",
    )
    low, high = math.log10(shown[cost].min()), math.log10(shown[cost].max())
    room = max(0.3, 0.1 * (high - low))
    middle = 10 ** ((low + high) / 2)
    accuracies = _accuracy_range(shown, band)
    names, sides = _names(shown, on_front, cost, middle, accuracies[1] - accuracies[0])
    shown = shown.assign(beside=names, side=sides)
    for kept, colour, name, place in (
        (on_front, SECOND, "on the front", "top"),
        (~on_front, ACCENT, "beaten", "middle"),
    ):
        figure.add_trace(_points(shown[kept], cost, number, colour, name, place))
    figure = with_band(styled(figure, height=HEIGHT), band)
    edges = [low - room, high + room]
    ticks = _ticks(*edges)
    words = [f"{tick:,.12g}" for tick in ticks]
    figure.update_xaxes(title=title, type="log", range=edges, tickvals=ticks, ticktext=words)
    figure.update_yaxes(title="accuracy on these test images", tickformat=".0%")
    figure.update_yaxes(range=accuracies)
    return figure


def _ticks(low: float, high: float) -> list[float]:
    """Round costs between two powers of ten: 1, 2 and 5 of each, or over two powers 1 alone.

    Written out, because Plotly's own labels of a logarithmic axis say 5 for 0.005.
    """
    steps = (1, 2, 5) if high - low < 2.6 else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def _names(
    shown: pd.DataFrame, front: np.ndarray, cost: str, middle: float, height: float
) -> tuple[list[str], list[str]]:
    """(name beside each point, its side): towards the middle, else on the other side, and "" where
    it would lie over another's there, too. The front goes first.

    middle: of the axis of costs. height: what the axis of accuracies spans.
    """
    line = _LINE_SHARE * height
    # names of the front stand above their points, see `_points`
    places = np.column_stack([np.log10(shown[cost]), shown["accuracy"] + 0.7 * line * front])
    near = (max(0.1, 0.2 * np.ptp(places[:, 0])), line)
    inner = ["right" if value <= middle else "left" for value in shown[cost]]
    names, sides = [""] * len(shown), list(inner)
    taken: dict[str, np.ndarray] = {side: np.empty((0, 2)) for side in _OTHER}
    for place in np.lexsort((-places[:, 1], ~front)):
        for side in (inner[place], _OTHER[inner[place]]):
            if (np.abs(taken[side] - places[place]) < near).all(axis=1).any():
                continue
            names[place], sides[place] = _short(str(shown["name"].iloc[place])), side
            taken[side] = np.vstack([taken[side], places[place]])
            break
    return names, sides


def _points(
    rows: pd.DataFrame,
    cost: str,
    number: str,
    colour: str,
    name: str,
    height: str,
) -> go.Scatter:
    """The points with their names, which stand beside the whisker.

    height: "middle", or "top" of points on the front, whose line would run through the names.
    """
    names = [str(one) for one in rows["name"]]
    customdata = np.column_stack(
        [names, *(rows[column].to_numpy(dtype=object) for column in ("low", "high"))]
    )
    return go.Scatter(
        x=rows[cost],
        y=rows["accuracy"],
        mode="markers+text",
        text=[one and f"\u00a0\u00a0{one}\u00a0\u00a0" for one in rows["beside"]],
        textposition=[f"{height} {side}" for side in rows["side"]],
        textfont={"size": 11, "color": TEXT},
        marker={"size": 11, "color": colour},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["accuracy"],
            "arrayminus": rows["accuracy"] - rows["low"],
            "color": colour,
            "thickness": 1.2,
            "width": 4,
        },
        name=name,
        customdata=customdata,
        hovertemplate=(
            "%{customdata[0]}<br>accuracy %{y:.1%} "
            "(95 % interval %{customdata[1]:.1%} to %{customdata[2]:.1%})<br>"
            f"%{{x:{number}}} {AXES[cost][0].split(' of one')[0].split(',')[0]}<extra></extra>"
        ),
    )


def _short(name: str) -> str:
    name = name.removeprefix("shipped/")
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"


def _accuracy_range(rows: pd.DataFrame, band: Band | None) -> list[float]:
    """The axis holds every interval and the band, with room for the names."""
    lows = [float(rows["low"].min()), *(band[:1] if band else ())]
    highs = [float(rows["high"].max()), *(band[1:2] if band else ())]
    low, high = (
        np.nanmin([*lows, rows["accuracy"].min()]),
        np.nanmax([*highs, rows["accuracy"].max()]),
    )
    margin = 0.1 * max(high - low, 0.1)
    return [max(0.0, low - margin), min(1.02, high + 1.4 * margin)]
