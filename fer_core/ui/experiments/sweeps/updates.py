"""What the widgets of the Sweeps page receive; everything is reread from plans and run folders."""

from __future__ import annotations

from typing import Any

import gradio as gr

from fer_core.comparison.sweeps.document import TableDocument
from fer_core.comparison.sweeps.table import ORDERS
from fer_core.training.sweep import Sweep
from fer_core.ui.experiments.ceiling_band import ceiling_for
from fer_core.ui.experiments.experiment_updates import legend_html
from fer_core.ui.experiments.sweeps import board
from fer_core.ui.figures.band import Band
from fer_core.ui.figures.layout import empty_figure
from fer_core.ui.figures.runs import comparison_figure
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.run_form import DATA_FIELDS

_PARTS = 15


def sweep_updates(
    settings: AppSettings, chosen: Any, kind: Any, order: Any, sent: dict[str, Any]
) -> tuple[Any, ...]:
    """Updates of the list, status, three buttons, the body, the kind of table, the table, three
    downloads, legend, two charts, and what was sent; `gr.skip()` for what this viewer has.

    kind: "results" or "ablation"; order: one of ORDERS. A sweep that comes into view shows the
    table it was made for.
    """
    watch = board.read_watch(settings, chosen)
    order = order if order in ORDERS else "validation"
    new_sweep = watch.name != sent.get("name")
    if new_sweep and watch.sweep is not None:
        kind = "ablation" if watch.sweep.methods else "results"
    kind = kind if kind in ("results", "ablation") else "results"
    now = {
        "choices": watch.choices,
        "name": watch.name,
        "status": watch.status,
        "buttons": (watch.can_stop, watch.can_resume, bool(watch.sweep) and not settings.public),
        "results": (*watch.results_stamp, kind, order),
        "curves": (*watch.curves_stamp, _band(settings, watch.sweep)),
    }
    new = {part for part, value in now.items() if sent.get(part, _NEVER) != value}
    if not new and chosen == watch.name:
        return (gr.skip(),) * _PARTS
    can_stop, can_resume, can_delete = now["buttons"]
    changed = "buttons" in new
    return (
        _list_update(watch, chosen, "choices" in new),
        watch.status if "status" in new else gr.skip(),
        gr.update(interactive=can_stop) if changed else gr.skip(),
        gr.update(interactive=can_resume) if changed else gr.skip(),
        gr.update(interactive=can_delete) if changed else gr.skip(),
        gr.update(visible=watch.sweep is not None) if "name" in new else gr.skip(),
        kind if "name" in new else gr.skip(),
        *_results_updates(settings, watch.sweep, kind, order, "results" in new),
        *_curve_updates(settings, watch.sweep, "curves" in new),
        now,
    )


_NEVER = object()
#: Settings that decide which images the test part holds.
_DECIDE_TEST = {*DATA_FIELDS.values(), "classes_left_out", "class_map", "drop_duplicates"}


def _list_update(watch: board.SweepWatch, chosen: Any, new_choices: bool) -> Any:
    """New choices and value of the list; a value that stays is not sent, a viewer may be at it."""
    changes: dict[str, Any] = {} if chosen == watch.name else {"value": watch.name}
    if new_choices:
        changes["choices"] = list(watch.choices)
    return gr.update(**changes) if changes else gr.skip()


def _results_updates(
    settings: AppSettings, sweep: Sweep | None, kind: str, order: str, wanted: bool
) -> tuple[Any, ...]:
    """The table and its three files."""
    if not wanted or sweep is None:
        return (gr.skip(),) * 4
    document = board.results(settings, sweep, kind, order)
    shown = board.table_html(document)
    if not isinstance(document, TableDocument):
        return (shown, *(gr.update(value=None, interactive=False) for _ in range(3)))
    files = board.write_documents(sweep, kind, document)
    paths = [files[name] for name in ("markdown", "csv", "latex")]
    return (shown, *(gr.update(value=str(path), interactive=True) for path in paths))


def _curve_updates(settings: AppSettings, sweep: Sweep | None, wanted: bool) -> tuple[Any, ...]:
    if not wanted or sweep is None:
        return (gr.skip(),) * 3
    runs = board.sweep_curves(settings, sweep)
    if not runs:
        texts = [f"{word} curves start after the first epoch." for word in ("Loss", "Accuracy")]
        return ("", *(empty_figure(text, height=300) for text in texts))
    legend = legend_html(list(runs))
    if len(runs) == board.MOST_CURVES < len(sweep.runs()):
        legend += f"<p class='note'>The first {board.MOST_CURVES} runs of the sweep.</p>"
    band = _band(settings, sweep)
    charts = (comparison_figure(runs, quantity, band) for quantity in ("loss", "accuracy"))
    return (legend, *charts)


def _band(settings: AppSettings, sweep: Sweep | None) -> Band | None:
    """The ceiling on the sweep's test images, None where its runs have different ones."""
    if sweep is None or {field.partition(".")[0] for field in sweep.fields} & _DECIDE_TEST:
        return None
    ceiling = ceiling_for(sweep.base, settings.data_folder)
    return None if ceiling is None else ceiling.band
