"""The reference systems: published figures, this project's, and those of the runs at hand."""

from __future__ import annotations

import csv
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from fer_core.comparison.references.rows import ReferenceRow, rows_of_runs
from fer_core.paths import REFERENCE_RESULTS
from fer_core.runs import references
from fer_core.runs.references import Reference
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_ABOUT = (
    "Five published reports on facial-expression recognition, A to E, each a recipe of the "
    "**Train** tab{how}. From the command line: `python -m fer_core reproduce --data "
    "data/fer2013.csv`."
)
_HOW = (
    ": choose FER2013 in the **Data** tab (for E *Drawn faces, six classes*), then the recipe, and "
    "your own figure appears here beside the published one"
)
_HOW_ELSEWHERE = ", which trains where the app runs on your own computer"
_NOTE = (
    "<p class='note'>Each figure is measured on the split on which the report measured; where the "
    "report chose its epoch on the images that it scored, so do these. Behind a recipe stands what "
    "a row changes of it, below a figure its 95 % interval.</p>"
)
_HEADERS = ("System, recipe and measure", "Published", "Measured by this project", "Your run")
#: On a phone the table scrolls in its box; squeezed, its words would break letter by letter.
_CSS = """
.plain-table table { min-width: 560px; }
.plain-table td:first-child { width: 36%; font-weight: 400 !important; }
.plain-table small { display: block; color: var(--body-text-color-subdued); }
"""
_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def build_reference_view(settings: AppSettings, shared: SharedState) -> None:
    gr.Markdown(about(settings))
    table = gr.HTML(
        css_template=_CSS,
        elem_id="reference-table",
        js_on_load=None,
    )
    gr.HTML(_NOTE)
    again = gr.Button("Read the runs again", size="sm", elem_id="refresh-references")
    gr.on(
        [shared.page.load, again.click],
        lambda: reference_html(settings.runs_folder),
        None,
        table,
        show_progress="hidden",
        api_visibility="private",
    )


def about(settings: AppSettings) -> str:
    """What the table is and how one's own figure comes into it, as Markdown."""
    return _ABOUT.format(how=_HOW_ELSEWHERE if settings.public else _HOW)


def reference_html(runs_folder: Path, results: Path = REFERENCE_RESULTS) -> str:
    """The table, one row per reference."""
    ours, own = read_results(results), rows_of_runs(runs_folder)
    head = "".join(f"<th>{name}</th>" for name in _HEADERS)
    body = "".join(
        _row(reference, ours.get(name), own.get(name))
        for name, reference in references.REFERENCES.items()
    )
    return (
        "<div class='plain-table texts'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def read_results(results: Path = REFERENCE_RESULTS) -> dict[str, dict[str, str]]:
    """Reference → its row of the CSV beside results/reference.md; empty without one."""
    try:
        with results.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            return {row["name"]: row for row in csv.DictReader(file) if row.get("name")}
    except OSError:
        return {}


def _row(reference: Reference, ours: Mapping[str, str] | None, own: ReferenceRow | None) -> str:
    recipe = ", ".join([reference.recipe, *reference.settings])
    measure = f"{_METRICS[reference.metric]}, {reference.part} images"
    cells = (
        (
            f"{reference.system} · {reference.what} ({recipe})",
            *filter(None, (measure, reference.note)),
        ),
        (_figure(reference, reference.published),),
        _measured(reference, ours),
        _own(reference, own),
    )
    return "<tr>" + "".join(f"<td>{_lines(*cell)}</td>" for cell in cells) + "</tr>"


def _lines(first: str, *others: str) -> str:
    """What a cell says, and in smaller lines below what belongs to it."""
    small = "".join(f"<small>{html.escape(text)}</small>" for text in others)
    return html.escape(first) + small


def _measured(reference: Reference, row: Mapping[str, str] | None) -> tuple[str, ...]:
    """The lines of this project's figure."""
    if not row or not row.get("ours"):
        return ("not yet",)
    remarks = [
        reference.small_note if row.get("settings") == "part" else "",
        reference.drawn_note,  # `reproduce` has no others
        row["state"] if row.get("state") != "finished" else "",
    ]
    return _with_interval(reference, row["ours"], row["low"], row["high"], remarks)


def _own(reference: Reference, row: ReferenceRow | None) -> tuple[str, ...]:
    """The lines of the figure of a visitor's own run."""
    if row is None:
        return ("–",)
    if row.value is None or row.interval is None:
        return (f"{row.state} {row.reason}" if row.state == "finished" else row.state,)
    settings = {
        "part": reference.small_note,
        "changed": "settings changed",
        "other data": "on other data, so not to be compared",
    }
    remarks = [
        settings.get(row.settings, ""),
        reference.drawn_note if row.drawn else "",
        row.state if row.state != "finished" else "",
    ]
    return _with_interval(reference, row.value, *row.interval, remarks)


def _with_interval(
    reference: Reference, value: Any, low: Any, high: Any, remarks: Sequence[str]
) -> tuple[str, ...]:
    edges = " to ".join(_figure(reference, float(edge)) for edge in (low, high))
    said = "; ".join(filter(None, remarks))
    return (_figure(reference, float(value)), edges, *([said] if said else []))


def _figure(reference: Reference, value: float) -> str:
    return f"{100 * value:.2f} %" if reference.metric == "accuracy" else f"{value:.3f}"
